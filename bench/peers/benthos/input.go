package main

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

const pollRecords = 2000

// groupInput reads a topic as a member of a consumer group. A batch is marked for commit once it and all that were
// polled before it are acknowledged, so that nothing is skipped after a restart.
type groupInput struct {
	brokers, topic, group string
	client                *kgo.Client

	mutex   sync.Mutex
	pending []*polled
	ended   atomic.Int64
	onEnded func(total int64)
}

type polled struct {
	records      []*kgo.Record
	acknowledged bool
}

func (in *groupInput) Connect(context.Context) error {
	if in.client != nil {
		return nil
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(in.brokers),
		kgo.ConsumeTopics(in.topic),
		kgo.ConsumerGroup(in.group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitMarks(),
	)
	in.client = client
	return err
}

func (in *groupInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	fetches := in.client.PollRecords(ctx, pollRecords)
	if fetches.IsClientClosed() {
		return nil, nil, service.ErrEndOfInput
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	records := fetches.Records()
	if len(records) == 0 {
		if errs := fetches.Errors(); len(errs) > 0 {
			return nil, nil, errs[0].Err
		}
		return nil, nil, context.DeadlineExceeded // asks to be called again
	}
	batch := make(service.MessageBatch, len(records))
	for i, record := range records {
		batch[i] = service.NewMessage(record.Value)
	}
	entry := &polled{records: records}
	in.mutex.Lock()
	in.pending = append(in.pending, entry)
	in.mutex.Unlock()
	acknowledge := func(_ context.Context, err error) error {
		if err == nil {
			in.acknowledge(entry)
		}
		return nil
	}
	return batch, acknowledge, nil
}

func (in *groupInput) acknowledge(entry *polled) {
	in.mutex.Lock()
	entry.acknowledged = true
	for len(in.pending) > 0 && in.pending[0].acknowledged {
		in.client.MarkCommitRecords(in.pending[0].records...)
		in.pending = in.pending[1:]
	}
	in.mutex.Unlock()
	in.onEnded(in.ended.Add(int64(len(entry.records))))
}

func (in *groupInput) Close(context.Context) error {
	if in.client != nil {
		in.client.Close()
	}
	return nil
}
