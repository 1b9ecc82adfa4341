// What no schema says: that names lead to what they name, and that pods keep to the 'restricted' Pod Security Standard.

const podOf = (object) => object.spec?.template?.spec;
const labelsOf = (object) => object.spec?.template?.metadata?.labels ?? {};
const containersOf = (pod) => [...(pod.initContainers ?? []), ...pod.containers];
const selects = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);

function faultsOfPod(object, objects, secrets) {
  const pod = podOf(object);
  const faults = [];
  const volumes = (pod.volumes ?? []).map((volume) => volume.name);
  volumes.push(...(object.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name));
  if (!selects(object.spec.selector.matchLabels, labelsOf(object))) faults.push('its selector does not select its own pods');
  for (const container of containersOf(pod)) {
    const ports = (container.ports ?? []).map((port) => port.name);
    for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
      const port = (container[probe]?.httpGet ?? container[probe]?.tcpSocket)?.port;
      if (port !== undefined && !ports.includes(port)) faults.push(`${container.name}: ${probe} asks the port '${port}', which it has not`);
    }
    for (const mount of container.volumeMounts ?? [])
      if (!volumes.includes(mount.name)) faults.push(`${container.name}: mounts '${mount.name}', which is no volume`);
  }
  for (const volume of pod.volumes ?? []) {
    const map = volume.configMap?.name;
    if (map && !objects.some((other) => other.kind === 'ConfigMap' && other.metadata.name === map)) faults.push(`no ConfigMap ${map}`);
    if (volume.secret && !secrets.includes(volume.secret.secretName)) faults.push(`no Secret ${volume.secret.secretName} is told of`);
  }
  return faults.map((fault) => `${object.kind} ${object.metadata.name}: ${fault}`);
}

function faultsOfService(service, pods) {
  const chosen = pods.filter((object) => selects(service.spec.selector, labelsOf(object)));
  if (chosen.length !== 1) return [`Service ${service.metadata.name} selects ${chosen.length} workloads`];
  const ports = containersOf(podOf(chosen[0])).flatMap((container) => container.ports ?? []);
  return service.spec.ports
    .filter((port) => !ports.some((other) => other.name === port.targetPort))
    .map((port) => `Service ${service.metadata.name}: its pods have no port '${port.targetPort}'`);
}

export function faultsOfReferences(objects, { secrets }) {
  const pods = objects.filter(podOf);
  const faults = pods.flatMap((object) => faultsOfPod(object, objects, secrets));
  const chosenBy = (selector) => pods.some((object) => selects(selector.matchLabels, labelsOf(object)));
  for (const object of objects) {
    const name = `${object.kind} ${object.metadata.name}`;
    if (object.kind === 'Service') faults.push(...faultsOfService(object, pods));
    if (object.kind === 'PodDisruptionBudget' && !chosenBy(object.spec.selector)) faults.push(`${name} selects nothing`);
    if (object.kind === 'NetworkPolicy' && !chosenBy(object.spec.podSelector)) faults.push(`${name} selects nothing`);
    if (object.kind === 'HorizontalPodAutoscaler' && !objects.some((other) => other.kind === object.spec.scaleTargetRef.kind && other.metadata.name === object.spec.scaleTargetRef.name))
      faults.push(`${name} scales nothing`);
    if (object.kind === 'ServiceMonitor') {
      const services = objects.filter((other) => other.kind === 'Service' && selects(object.spec.selector.matchLabels, other.metadata.labels ?? {}));
      const port = object.spec.endpoints[0].port;
      if (services.length !== 1 || !services[0].spec.ports.some((other) => other.name === port)) faults.push(`${name}: no one Service with the port '${port}'`);
      else if (services[0].metadata.labels[object.spec.jobLabel] !== 'contacts-gateway') faults.push(`${name}: the job is not called contacts-gateway`);
    }
  }
  return faults;
}

function faultsOfContainer(container, pod) {
  const own = container.securityContext ?? {};
  const wanted = {
    'runAsNonRoot: true': (own.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) === true,
    'seccompProfile: RuntimeDefault': (own.seccompProfile ?? pod.securityContext?.seccompProfile)?.type === 'RuntimeDefault',
    'allowPrivilegeEscalation: false': own.allowPrivilegeEscalation === false,
    'readOnlyRootFilesystem: true': own.readOnlyRootFilesystem === true,
    'capabilities: drop ALL': own.capabilities?.drop?.includes('ALL') && !own.capabilities.add,
    'no privilege': !own.privileged,
    'a memory limit': container.resources?.limits?.memory !== undefined,
  };
  return Object.entries(wanted).filter(([, holds]) => !holds).map(([what]) => `${container.name}: ${what}`);
}

export function faultsOfSecurity(objects) {
  return objects.filter(podOf).flatMap((object) => {
    const pod = podOf(object);
    const faults = containersOf(pod).flatMap((container) => faultsOfContainer(container, pod));
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) if (pod[key]) faults.push(key);
    if (pod.automountServiceAccountToken !== false) faults.push('a service account token that nobody needs');
    const sidecars = (pod.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
    if (pod.initContainers && sidecars.length === 0) faults.push('the gateway is no native sidecar');
    return faults.map((fault) => `${object.kind} ${object.metadata.name}: ${fault}`);
  });
}
