#!/usr/bin/env node
// The `pelago` command on any Node >= 20; start.mjs finds the pinned Node and hands the words over.
import './start.mjs'
