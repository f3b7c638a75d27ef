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
  postgres?: string
  postgresPasswordFile?: string
}

/** What commands stand on; the host hands it in. */
export type CliPorts = {
  /** Runs a federation in this process until it is told to stop. */
  up(options: UpOptions): Promise<number>
  /** Runs one role in this process. */
  run(options: { config: string; log?: string }): Promise<void>
  /** A client of the Pelago that runs in a data folder. @throws data.absent */
  client(data: string): Client
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
  now(): number
}

/** Options that every command has. */
export type Common = { data: string; json: boolean }
