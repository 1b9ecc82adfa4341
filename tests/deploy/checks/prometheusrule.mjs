// The rules of deploy/prometheus as the Prometheus operator takes them. Prints what deploy/kubernetes/base/prometheusrule.yaml must be;
// with a file named as the second argument it compares instead, and fails where they differ.
//
//   node prometheusrule.mjs FOLDER-OF-RULES [FILE]
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const [folder, file] = process.argv.slice(2);
const groups = readdirSync(folder).sort().flatMap((name) => parse(readFileSync(join(folder, name), 'utf8')).groups);
const object = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'contacts-gateway' }, spec: { groups } };
const text = `# Made from deploy/prometheus/rules: UPDATE_GENERATED=1 tests/deploy/checks/run.sh\n${stringify(object, { lineWidth: 0 })}`;

if (file === undefined) process.stdout.write(text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is not what deploy/prometheus/rules says: UPDATE_GENERATED=1 tests/deploy/checks/run.sh renews it`);
  process.exit(1);
}
