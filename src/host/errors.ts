import { errorTable } from '#kernel'

/** What goes wrong between Pelago and the machine that it runs on. Every message says what to do. */
export const hostError = errorTable({
  'port.taken': {
    kind: 'conflict',
    retryable: true,
    message: 'Port {port} on {address} is taken by another program ({use}). {mend}',
  },
  'port.none': {
    kind: 'exhausted',
    retryable: true,
    message: 'No free port was found between {from} and {to}. Stop programs that listen there, then try again.',
  },
  'port.denied': {
    kind: 'denied',
    retryable: false,
    message: 'This user may not listen on port {port}. Choose a port above 1023 with --port.',
  },
  'data.locked': {
    kind: 'conflict',
    retryable: true,
    message:
      'Another Pelago ({holder}) uses the folder {folder}. Stop it, or give this one a folder of its own with --data DIR.',
  },
  'data.foreign': {
    kind: 'invalid',
    retryable: false,
    message:
      'The folder {folder} holds something else than data of Pelago ({found}). Choose an empty or new folder with --data DIR.',
  },
  'data.damaged': {
    kind: 'corrupt',
    retryable: false,
    message: 'The file {file} cannot be understood: {reason}. Restore it from a copy, or begin anew with --reset.',
  },
  'data.newer': {
    kind: 'invalid',
    retryable: false,
    message: 'The folder {folder} was written by a newer Pelago (format {version}). Start that one.',
  },
  'data.absent': {
    kind: 'missing',
    retryable: false,
    message:
      'There is no Pelago data in {folder}. Start Pelago first with `npm start`, or name its folder with --data DIR.',
  },
  'data.denied': {
    kind: 'denied',
    retryable: false,
    message:
      'The folder {folder} cannot be written: {reason}. Give this user the right to it, or choose another with --data DIR.',
  },
  'disk.short': {
    kind: 'exhausted',
    retryable: true,
    message:
      'The disk that holds {folder} has {free} left; Pelago needs at least {needed} to start. Free some space, or choose another disk with --data DIR.',
  },
  'process.died': {
    kind: 'unavailable',
    retryable: true,
    message: '{name} stopped while starting: {reason}',
  },
  'process.slow': {
    kind: 'unavailable',
    retryable: true,
    message: '{name} was not ready within {seconds} seconds. Its log is {log}.',
  },
  'process.unknown': {
    kind: 'missing',
    retryable: false,
    message: 'There is no provider {name}. The providers are: {known}.',
  },
  'gateways.single': {
    kind: 'unbuilt',
    retryable: false,
    message: 'On {platform} several processes cannot listen on one port; start with --gateways 1. Several need Linux.',
  },
  'proxies.network': {
    kind: 'invalid',
    retryable: false,
    message:
      'trustedProxies names {network}, which is no address and no network; write it like 10.0.0.0/8 or 2001:db8::1 and start again.',
  },
  'postgres.address': {
    kind: 'invalid',
    retryable: false,
    message:
      'The address of the database ({where}) is no URL such as postgres://USER@HOST:5432/DATABASE, nor the absolute path of a file that holds one.',
  },
  'postgres.password': {
    kind: 'invalid',
    retryable: false,
    message:
      'The address of the database has a password in it, where others can see it. Leave it out and name a file that holds it: --postgres-password-file FILE.',
  },
  'database.component': {
    kind: 'invalid',
    retryable: false,
    message: 'There is no component {component}; the components are: {known}.',
  },
  'keys.beside': {
    kind: 'invalid',
    retryable: false,
    message:
      'The key store may not lie in the database of the index ({database}): a backup of the index would open everything. Name another database, or leave `keys` out.',
  },
  'folder.role': {
    kind: 'conflict',
    retryable: false,
    message: 'The folder {folder} is that of {found}. Name one for {role} with --data DIR.',
  },
  'address.unclear': {
    kind: 'invalid',
    retryable: false,
    message: '{option} must be an address such as {example}; "{given}" is none.',
  },
  'server.elsewhere': {
    kind: 'invalid',
    retryable: false,
    message:
      'The folder {folder} is that of a {found}, and this command asks the {wanted}. Name the folder of the {wanted} with --data DIR.',
  },
  'gateways.source': {
    kind: 'invalid',
    retryable: false,
    message:
      'A provider is told by one of two which gateways it takes: `federation`, whose directory lists them, or a list `gateways` of its own. Its configuration must have one of them.',
  },
  'role.unknown': {
    kind: 'invalid',
    retryable: false,
    message: 'There is no role {role}; a configuration is of role federation, provider, unwrap or gateway.',
  },
  'root.passphrase': {
    kind: 'denied',
    retryable: false,
    message: 'The root key in {file} is sealed with a passphrase: {reason}. Name the file that holds the right one.',
  },
  'kit.altered': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The file {file} is of no use: {reason}. Take another copy of it, or type its share into a file of its own, with one whole file beside it.',
  },
  'kit.mixed': {
    kind: 'invalid',
    retryable: false,
    message: 'These files are of different recovery kits. Take two that have the same words.',
  },
  'kit.unopened': { kind: 'denied', retryable: false, message: 'The recovery kit does not open: {reason}.' },
  'kit.inside': {
    kind: 'invalid',
    retryable: false,
    message:
      'The kit would be lost with what it is for: {folder} is lost with the machine. Name a folder elsewhere with --out DIR.',
  },
  'root.elsewhere': {
    kind: 'invalid',
    retryable: false,
    message: 'The root key is in no file of this machine but in {where}: rotate it there. {how}',
  },
  'root.moved': {
    kind: 'conflict',
    retryable: true,
    message: 'The newest root key of the file is {file}, but the gateway sees {seen}. Look again in a minute.',
  },
  'root.many': {
    kind: 'exhausted',
    retryable: false,
    message: 'A file holds at most {most} root keys. Retire those that wrap nothing any more: pelago key retire.',
  },
  'root.unbuilt': {
    kind: 'unbuilt',
    retryable: false,
    message: 'A root key by {kind} is not built yet; use file or transit.',
  },
  'root.config': {
    kind: 'invalid',
    retryable: false,
    message: 'A root key of kind {kind} needs {field} in its configuration.',
  },
  'transit.insecure': {
    kind: 'invalid',
    retryable: false,
    message: 'The root key would travel in the clear to {url}. Use https, or a server on this machine.',
  },
  'unwrap.foreign': {
    kind: 'denied',
    retryable: false,
    message: 'The gateway {gateway} wants something wrapped or opened that is no key of an epoch.',
  },
  'tls.listen': {
    kind: 'invalid',
    retryable: false,
    message:
      '{what} would listen on {address} without TLS, where others can read along. Give it a certificate ({how}), or let it listen on 127.0.0.1.',
  },
  'tls.ask': {
    kind: 'invalid',
    retryable: false,
    message: '{what} would be asked at {url} without TLS, where others can read along. Use its https address.',
  },
  'tls.unenrolled': {
    kind: 'invalid',
    retryable: false,
    message:
      'TLS is wanted ({url}), and the configuration names no files of an enrolment (`enrolled`). Join the federation first.',
  },
  'tls.files': {
    kind: 'corrupt',
    retryable: false,
    message: 'The key in {key} does not belong to the certificate in {certificate}. Restore both, or join again.',
  },
  'offload.lost': {
    kind: 'internal',
    retryable: true,
    message: 'The thread that computed a hash ended: {reason}. Try again.',
  },
  'file.missing': { kind: 'missing', retryable: false, message: 'There is no file {file}.' },
  'file.exists': {
    kind: 'conflict',
    retryable: false,
    message: 'The file {file} exists already; name another, or remove it first.',
  },
  'connect.refused': {
    kind: 'unavailable',
    retryable: true,
    message: 'Nothing answers at {url}. Start Pelago with `npm start`, then try again.',
  },
  'connect.slow': {
    kind: 'unavailable',
    retryable: true,
    message: '{url} did not answer within {seconds} seconds. `pelago doctor` finds out why.',
  },
  'egress.refused': {
    kind: 'denied',
    retryable: false,
    message: '{origin} is not asked: {reason}. Name the origin in the configuration (egress.origins) if it is meant.',
  },
  'egress.failed': { kind: 'unavailable', retryable: true, message: '{origin} cannot be asked: {reason}.' },
  'egress.large': { kind: 'unavailable', retryable: false, message: '{origin} answers more than {limit} bytes.' },
  'egress.slow': { kind: 'unavailable', retryable: true, message: '{origin} did not answer within {seconds} seconds.' },
  'endpoint.plain': {
    kind: 'invalid',
    retryable: false,
    message:
      'The {what} endpoint would speak plain HTTP on {host}, where others can read along. Give the gateway a `certificate` (self-made will do), or let it listen on 127.0.0.1.',
  },
  'certificate.incomplete': {
    kind: 'invalid',
    retryable: false,
    message: 'A certificate of kind {kind} needs {field} in the configuration of the gateway.',
  },
  'certificate.terms': {
    kind: 'invalid',
    retryable: false,
    message:
      'The authority at {directory} issues certificates to those who accept its terms. Read them, then set `certificate.termsAgreed` to true.',
  },
  'certificate.wildcard': {
    kind: 'unbuilt',
    retryable: false,
    message:
      'A certificate for every name below {name} is ordered by dns-01 only, which is not built. Leave `*.` out and use path-style addresses, or give a certificate that you ordered otherwise (kind given).',
  },
  'certificate.address': {
    kind: 'invalid',
    retryable: false,
    message: 'No certificate is ordered for the address {name}; put a DNS name in its place, or use kind self-made.',
  },
  'certificate.challenge': {
    kind: 'invalid',
    retryable: false,
    message:
      'An authority looks at port 443 or 80 of this machine; S3 listens on {port}. Give `certificate.http` (port 80), let S3 listen on 443, or, where 443 is passed on to this port, set `certificate.challenges` to ["tls-alpn-01"].',
  },
  'certificate.changing': {
    kind: 'unavailable',
    retryable: true,
    message: 'The files of the certificate cannot be read: {reason}. The last one is shown meanwhile.',
  },
  'callback.late': {
    kind: 'unavailable',
    retryable: true,
    message: 'Nobody came back from the identity provider within {minutes} minutes; begin again.',
  },
})
