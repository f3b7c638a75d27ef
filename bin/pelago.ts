console.error(
  'This build has no commands yet: the frame of the house stands, the main job is being built. See CHANGELOG.md.',
)
process.exitCode = 2
