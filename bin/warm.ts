/** Loads what every role runs and ends: Node keeps what it compiled (start.mjs says where, and why once is enough). */
import '#cli'
import { loadRoles } from '#host'

await loadRoles()
