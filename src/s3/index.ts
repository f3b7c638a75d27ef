/** The S3 protocol over storage and access: one operation per file. */
export { type Admission, type AdmissionLimits, openAdmission } from './admission.ts'
export type { BucketAccesses, BucketPolicies } from './authorise.ts'
export { createS3, type S3Ports } from './create-s3.ts'
export { s3Error } from './errors.ts'
export { type OperationName, operationNames } from './operation-names.ts'
export { type Route, routes } from './route.ts'
export type { SessionGiver } from './sts.ts'
export type { S3Config, S3Handler, S3Request, S3Response } from './wire.ts'
