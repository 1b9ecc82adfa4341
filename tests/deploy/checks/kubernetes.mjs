// Renders the kustomizations with the kubectl that is given, and checks what comes out: against the schemas of Kubernetes, for
// fields that no schema knows, for references that lead nowhere, and against the 'restricted' Pod Security Standard.
//
//   node kubernetes.mjs KUBECTL FOLDER-OF-KUSTOMIZATIONS
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { faultsOfLayout } from './layout.mjs';
import { faultsOfReferences, faultsOfSecurity } from './meaning.mjs';
import { faultsOf, misspelt } from './schemas.mjs';

const [kubectl, folder] = process.argv.slice(2);
let failed = 0;
const report = (where, faults) => {
  for (const fault of faults) console.error(`${where}: ${fault}`);
  failed += faults.length;
};

console.log(`kubectl: ${kubectl}`);
console.log(execFileSync(kubectl, ['version', '--client'], { encoding: 'utf8' }).trim());

for (const name of readdirSync(folder)) report(name, faultsOfLayout(join(folder, name)));

for (const name of ['base', 'example']) {
  const text = execFileSync(kubectl, ['kustomize', join(folder, name)], { encoding: 'utf8' });
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  for (const object of objects) report(`${name}: ${object.kind} ${object.metadata.name}`, faultsOf(object));
  report(name, faultsOfReferences(objects, { secrets: ['contacts-gateway', 'contacts-gateway-redis'] }));
  report(name, faultsOfSecurity(objects));
  // Whether the checks above would see a mistake: each field in turn, misspelt.
  let tried = 0;
  for (const object of objects)
    for (const { path, wrong } of misspelt(object)) {
      ++tried;
      if (faultsOf(wrong).length === 0) report(`${name}: ${object.kind} ${object.metadata.name}`, [`${path} may be misspelt unnoticed`]);
    }
  console.log(`${name}: ${objects.length} objects, ${tried} misspellings noticed`);
}
process.exit(failed === 0 ? 0 : 1);
