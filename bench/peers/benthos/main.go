// Benthos core doing the same job: consume, deduplicate, make Customer.io's operation of each event, batch, POST.
// `BROKERS TOPIC GROUP URL EVENTS [as-read]`
//
// With `as-read` events are sent as they were read, which is less than the job: Customer.io would refuse half of them.
// Prints how many records are acknowledged once EVENTS are, then goes on until it is stopped.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// The body is what Customer.io takes, made without encoding each event again.
const configuration = `
input:
  group_input: {}
pipeline:
  processors:
    - dedupe:
        cache: ids
        key: ${! json("event_id").or(json("messageId")) }
%soutput:
  http_client:
    url: %s/api/v2/batch
    verb: POST
    headers: {Content-Type: application/json}
    basic_auth: {enabled: true, username: site, password: key}
    max_in_flight: 10
    batch_as_multipart: false
    batching:
      count: 2000
      period: 10ms
      processors:
        - archive: {format: lines}
        - mapping: 'root = "{\"batch\":[" + content().string().replace_all("\n", ",") + "]}"'
cache_resources:
  - label: ids
    memory: {default_ttl: 600s}
logger: {level: ERROR}
`

// Both vocabularies of the benchmarks' events, as `bench/peers/operation.py` does it.
const toOperation = `    - mapping: |
        root = if this.type == "track" {
          {
            "type": "person", "action": "event", "identifiers": {"id": this.userId}, "name": this.event,
            "timestamp": this.timestamp.ts_unix(), "attributes": this.properties
          }
        } else {
          this.without("event_id")
        }
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	asRead := len(arguments) == 6 && arguments[5] == "as-read"
	if len(arguments) != 5 && !asRead {
		return fmt.Errorf("usage: BROKERS TOPIC GROUP URL EVENTS [as-read]")
	}
	mapping := toOperation
	if asRead {
		mapping = ""
	}
	events, err := strconv.ParseInt(arguments[4], 10, 64)
	if err != nil {
		return err
	}
	var once sync.Once
	input := &groupInput{brokers: arguments[0], topic: arguments[1], group: arguments[2]}
	input.onEnded = func(total int64) {
		if total >= events {
			once.Do(func() { fmt.Println(total) })
		}
	}
	environment := service.NewEnvironment()
	create := func(*service.ParsedConfig, *service.Resources) (service.BatchInput, error) {
		return service.AutoRetryNacksBatched(input), nil
	}
	if err := environment.RegisterBatchInput("group_input", service.NewConfigSpec(), create); err != nil {
		return err
	}
	builder := environment.NewStreamBuilder()
	if err := builder.SetYAML(fmt.Sprintf(configuration, mapping, arguments[3])); err != nil {
		return err
	}
	stream, err := builder.Build()
	if err != nil {
		return err
	}
	return stream.Run(context.Background())
}
