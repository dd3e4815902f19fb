export default async function teardown() {
  const servers = globalThis.millraceServers?.splice(0) ?? [];
  await Promise.all(servers.map((server) => server.stop()));
}
