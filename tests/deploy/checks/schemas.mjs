// The schemas of kubernetes-models, which let unknown fields pass. Its validators are compiled code that reads each field that it
// knows, and each key of a map: a field that nobody read is one that Kubernetes does not know.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const folderOf = (name) => dirname(require.resolve(`${name}/package.json`));

// 'apps/v1' and 'Deployment' give IoK8sApiAppsV1Deployment; a group's domain is no part of it.
function schemaFile(object) {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['core', object.apiVersion];
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  if (group === 'monitoring.coreos.com')
    return join(folderOf('@kubernetes-models/prometheus-operator'), '_schemas', `MonitoringCoreosCom${capital(version)}${object.kind}.js`);
  return join(folderOf('kubernetes-models'), '_schemas', `IoK8sApi${capital(group.split('.')[0])}${capital(version)}${object.kind}.js`);
}

const pointer = (steps) => '/' + steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

function watched(value, steps, read) {
  if (value === null || typeof value !== 'object') return value;
  return new Proxy(value, {
    get(target, key) {
      const field = target[key];
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return field;
      read.add(pointer([...steps, key]));
      return watched(field, [...steps, key], read);
    },
  });
}

function fields(value, steps = []) {  // the way to each field, as a list of keys
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, field]) => [[...steps, key], ...fields(field, [...steps, key])]);
}

export function faultsOf(object) {
  let validate;
  try {
    ({ validate } = require(schemaFile(object)));
  } catch (error) {
    return [`no schema for ${object.apiVersion} ${object.kind}: ${error.message.split('\n')[0]}`];
  }
  const read = new Set();
  const right = validate(watched(object, [], read));
  const faults = right ? [] : validate.errors.map((error) => `${error.instancePath || '/'} ${error.keyword} ${JSON.stringify(error.params)}`);
  return [...faults, ...fields(object).map(pointer).filter((path) => !read.has(path)).map((path) => `${path}: Kubernetes knows no such field`)];
}

// Maps whose keys anybody chooses.
const maps = ['labels', 'annotations', 'matchLabels', 'data', 'requests', 'limits'];
const chosen = (steps, object) => maps.includes(steps.at(-2)) || (object.kind === 'Service' && steps.at(-2) === 'selector');

// The object with one field misspelt, for each field that has a name of Kubernetes' own.
export function* misspelt(object) {
  for (const steps of fields(object)) {
    const key = steps.at(-1);
    if (/^\d+$/.test(key) || chosen(steps, object) || ['apiVersion', 'kind'].includes(pointer(steps).slice(1))) continue;
    const wrong = structuredClone(object);
    const parent = steps.slice(0, -1).reduce((value, step) => value[step], wrong);
    parent[`${key}z`] = parent[key];
    delete parent[key];
    yield { path: pointer(steps), wrong };
  }
}
