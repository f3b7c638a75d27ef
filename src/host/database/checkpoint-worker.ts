/** The thread that copies the write-ahead log into the database's file: a pass per message, answered with what it came to. */
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { CheckpointData, CheckpointReply, CheckpointRequest } from './checkpoint-messages.ts'

const { file, busyMs } = workerData as CheckpointData
const port = parentPort as MessagePort
const database = new DatabaseSync(file, { timeout: busyMs })
database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -1024')
const pass = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')

port.on('message', (message: CheckpointRequest) => {
  if (message === 'close') {
    database.close()
    return port.close()
  }
  let reply: CheckpointReply = {}
  try {
    pass.get()
  } catch (error) {
    reply = { failed: error instanceof Error ? error.message : String(error) }
  }
  port.postMessage(reply, [])
})
