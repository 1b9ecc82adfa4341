// compose.yaml, as far as it can be checked without Docker: what it mounts is there, what it names it declares, images have a version,
// ports are this machine's own, and every service is hardened.
//
//   node compose.mjs FILE
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

const file = process.argv[2];
const compose = parse(readFileSync(file, 'utf8'), { merge: true });
const there = (path) => existsSync(resolve(dirname(file), path));

function faultsOf(name, service) {
  const faults = [];
  const expect = (holds, what) => holds || faults.push(`${name}: ${what}`);
  expect(/^[^:]+:v?\d[\w.]*$/.test(service.image ?? ''), `image '${service.image}' has no version`);
  if (service.build) expect(there(`${service.build.context}/${service.build.dockerfile}`), 'its Dockerfile is not there');
  for (const port of service.ports ?? []) expect(port.startsWith('127.0.0.1:'), `port ${port} is open to others`);
  for (const volume of service.volumes ?? []) {
    const [from] = volume.split(':');
    expect(from.startsWith('.') ? there(from) : from in compose.volumes, `${from} is not there`);
    if (from.startsWith('.')) expect(volume.endsWith(':ro'), `${from} may be written to`);
  }
  for (const [kind, names] of Object.entries({ networks: service.networks, secrets: service.secrets, services: Object.keys(service.depends_on ?? {}) }))
    for (const used of names ?? []) expect(Array.isArray(service.depends_on) && kind === 'services' ? service.depends_on[used] in compose.services : used in compose[kind], `${kind}: '${used}' is not declared`);
  expect(service.read_only === true, 'its root may be written to');
  expect(service.cap_drop?.includes('ALL'), 'it keeps capabilities');
  expect(service.security_opt?.includes('no-new-privileges:true'), 'it may gain privileges');
  return faults;
}

const faults = Object.entries(compose.services).flatMap(([name, service]) => faultsOf(name, service));
for (const fault of faults) console.error(`compose.yaml: ${fault}`);
console.log(`compose.yaml: ${Object.keys(compose.services).length} services`);
process.exit(faults.length === 0 ? 0 : 1);
