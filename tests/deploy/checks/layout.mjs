// What can be said of a kustomization without a kustomize: every file that it names is there, and every file that is there is named.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export function faultsOfLayout(folder) {
  const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
  const component = kustomization.kind === 'Component';
  const faults = [];
  const version = component ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  if (kustomization.apiVersion !== version) faults.push(`apiVersion: expected ${version} for a ${kustomization.kind}`);
  const named = [
    ...(kustomization.resources ?? []),
    ...(kustomization.components ?? []),
    ...(kustomization.patches ?? []).map((patch) => patch.path),
    ...(kustomization.configMapGenerator ?? []).flatMap((generator) => generator.files),
  ];
  for (const file of named) if (!existsSync(join(folder, file))) faults.push(`${file} is named and is not there`);
  for (const path of kustomization.components ?? []) {
    const other = parse(readFileSync(join(folder, path, 'kustomization.yaml'), 'utf8'));
    if (other.kind !== 'Component') faults.push(`${path} is no Component`);
  }
  for (const file of readdirSync(folder))
    if (file !== 'kustomization.yaml' && !named.includes(file)) faults.push(`${file} is there and nothing names it`);
  return faults;
}
