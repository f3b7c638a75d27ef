import type { Contract } from '#api'
import type { Client, Objects, Source } from '#client'

export type UpOptions = {
  data: string
  port: number
  reset: boolean
  yes: boolean
  json: boolean
  packBytes?: number
  gateways: number
  separatePorts?: boolean
  demandKit?: boolean
  tls?: boolean
  postgres?: string
  postgresPasswordFile?: string
}

export type JoinOptions = { data: string; newKeys?: boolean }
export type ProviderJoin = JoinOptions & { endpoint: string; listen?: string; quota?: number }
export type GatewayJoin = JoinOptions & {
  s3?: string
  api?: string
  region?: string
  hostname?: readonly string[]
  /** Folder of the process that holds the root key; `unwrap` beside the gateway's without. */
  unwrap?: string
  /** Where that process listens, if not in its folder. */
  unwrapSocket?: string
  passphraseFile?: string
}
/** Who joined, where its folder is, and which federation that is. */
export type Joined = { id: string; folder: string; federation: string }

/** What commands stand on; the host hands it in. */
export type CliPorts = {
  /** Runs a federation in this process until it is told to stop. */
  up(options: UpOptions): Promise<number>
  /** Makes the folder of a federation. @throws folder.role, address.unclear */
  initFederation(input: { data: string; url: string; listen?: string }): Promise<{ folder: string; url: string }>
  /** Joins a federation from this machine, and makes the folder of the role. @throws invitation.…, member.…, folder.role, … */
  joinAsProvider(code: string, options: ProviderJoin): Promise<Joined>
  joinAsGateway(
    code: string,
    options: GatewayJoin,
  ): Promise<Joined & { unwrap: string; access?: { id: string; secret: string } }>
  /** Runs one role in this process. */
  run(options: { config: string; log?: string }): Promise<void>
  /** Looks at, or changes, the tables of a gateway's databases. @throws database.newer, database.final, database.component */
  database(
    action: 'status' | 'migrate' | 'rollback',
    input: { config: string; component?: string },
  ): Promise<{ store: string; component: string; found: number; known: number; needs: number }[]>
  /**
   * A client of the Pelago that runs in a data folder: as the person who has signed in here, if somebody has, else with the
   * token of the machine; as `machine` always with that. @throws data.absent
   */
  client(data: string, as?: 'machine'): Client
  /** Keeps the session of whoever signed in here, for later commands, or forgets it. */
  keepSession(data: string, token: string | undefined): void
  /** Waits on this machine for an identity provider to send somebody back. */
  openCallback(): Promise<Callback>
  wait(ms: number): Promise<void>
  /** The S3 endpoint of that Pelago, with its access key. */
  objects(data: string): Objects
  /** Lines for people and programs, and lines for people only. */
  out(line: string): void
  err(line: string): void
  /** A text file. @throws file.missing */
  readText(file: string): Promise<string>
  source(file: string): Promise<Source>
  /** Writes bytes to a new file, or to standard output for `-`. @throws file.exists */
  save(file: string, bytes: AsyncIterable<Uint8Array>): Promise<void>
  keys: KeyTools
  now(): number
  /** What only the whole program knows of the contract: the errors of all planes, and its version. */
  contract(): Promise<Pick<Contract, 'errors' | 'version'>>
}

/** Where the configuration of the unwrap process is: named, or in the data folder. */
export type RootPlace = { data: string; unwrapConfig?: string }

export type KitPlace = RootPlace & { gatewayConfig?: string }

/** What is done where the root key lies, by whoever may read its file; no gateway can do it. */
export type KeyTools = {
  /** Makes a root key that wraps from now on; the older ones still open. @throws root.elsewhere, root.many */
  rotateRoot(place: RootPlace): Promise<{ root: string; keys: number }>
  /** Takes all out of the file but the newest. @param newest what the gateway says is the newest @throws root.elsewhere, root.moved */
  retireRoots(place: RootPlace, newest: string): Promise<{ root: string; retired: string[] }>
  /** Writes the three files of a recovery kit into a folder. `kit`: what the gateway may know of it. */
  makeKit(place: KitPlace & { out: string }): Promise<{
    files: string[]
    /** Where the root key is if the kit does not hold it. */
    transit: string | null
    kit: { kit: string; root: string; gatewayKey: string; anchor: string; proof: string; madeAt: number }
  }>
  /** Opens a kit with two files and tries its keys. @returns what shows the gateway that it was opened */
  testKit(input: KitPlace & { files: readonly string[] }): Promise<{
    kit: string
    proof: string
    /** Keys of buckets that were opened, of so many in the kit. */
    opened: number
    epochs: number
  }>
  /** Puts back what a kit holds. @param data a folder that has none of it */
  restoreKit(input: { files: readonly string[]; data: string; passphraseFile?: string }): Promise<{
    root: string | null
    transit: string | null
    federation: string
    /** Keys of buckets that were put back; null where there is a key store already. */
    epochs: number | null
    madeAt: number
    sealed: boolean
    /** Files that the configurations name and the kit does not hold. */
    missing: string[]
  }>
}

/** `query`: what the provider sent along, within five minutes. @throws callback.late */
export type Callback = { redirectUri: string; query: Promise<string>; close(): void }

/** Options that every command has. */
export type Common = { data: string; json: boolean }
