// Every call of the `customerio-node` package's TrackClient. Arguments: site id, API key, port.
const { TrackClient } = require('customerio-node');
const [siteId, apiKey, port] = process.argv.slice(2);

(async () => {
  const client = new TrackClient(siteId, apiKey, { url: `https://localhost:${port}/api/v1`, port: Number(port) });
  await client.identify('1', { email: 'one@example.com', plan: 'pro' });
  await client.track('1', { name: 'bought', data: { total: 1 } });
  await client.trackPageView('1', 'https://example.com/c');
  await client.trackAnonymous('anon', { name: 'looked', data: { a: 1 } });
  await client.addDevice('1', 'token/1', 'ios', { last_used: 1600000000, color: 'red' });
  await client.deleteDevice('1', 'token/1');
  await client.mergeCustomers('id', '1', 'email', 'two@example.com');
  await client.trackPush({ delivery_id: 'RP1', event: 'opened', device_id: 'token/1', timestamp: 1600000000 });
  await client.suppress('1');
  await client.unsuppress('1');
  await client.destroy('a/b@example.com');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
