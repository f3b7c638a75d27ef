/**
 * The actions of S3 as policies name them, whether Pelago has the operation or not: a policy that forbids what cannot be done
 * yet is right, a name that nobody knows is a slip.
 * Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
 */
const s3Actions = `AbortMultipartUpload BypassGovernanceRetention CreateAccessPoint CreateBucket CreateBucketMetadataTableConfiguration
  CreateJob DeleteAccessPoint DeleteAccessPointPolicy DeleteBucket DeleteBucketMetadataTableConfiguration DeleteBucketOwnershipControls
  DeleteBucketPolicy DeleteBucketWebsite DeleteObject DeleteObjectTagging DeleteObjectVersion DeleteObjectVersionTagging
  DescribeJob GetAccelerateConfiguration GetAccessPoint GetAccessPointPolicy GetAccessPointPolicyStatus GetAccountPublicAccessBlock
  GetAnalyticsConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration
  GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus
  GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
  GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration
  GetMetricsConfiguration GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
  GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionForReplication
  GetObjectVersionTagging GetObjectVersionTorrent GetReplicationConfiguration InitiateReplication ListAccessPoints
  ListAllMyBuckets ListBucket ListBucketMultipartUploads ListBucketVersions ListJobs ListMultipartUploadParts
  ObjectOwnerOverrideToBucketOwner PauseReplication PutAccelerateConfiguration PutAccessPointPolicy PutAccountPublicAccessBlock
  PutAnalyticsConfiguration PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
  PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging
  PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration
  PutLifecycleConfiguration PutMetricsConfiguration PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
  PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging PutReplicationConfiguration ReplicateDelete ReplicateObject
  ReplicateTags RestoreObject UpdateJobPriority UpdateJobStatus`
const stsActions =
  'AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity GetCallerIdentity GetFederationToken GetSessionToken TagSession'

const known = new Set([
  ...s3Actions.split(/\s+/).map((name) => `s3:${name.toLowerCase()}`),
  ...stsActions.split(' ').map((name) => `sts:${name.toLowerCase()}`),
])

/** Whether an action in lower case is one; of services that are not here nobody can say. */
export function isAction(action: string): boolean {
  const service = action.slice(0, action.indexOf(':'))
  return (service !== 's3' && service !== 'sts') || known.has(action)
}

/**
 * What a request may be asked about. A key that requests never have would make a prohibition that never applies, so a policy
 * that names another is refused.
 */
export const conditionKeys = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:federatedprovider',
  'aws:multifactorauthpresent',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principaltype',
  'aws:referer',
  'aws:requestedregion',
  'aws:resourceaccount',
  'aws:securetransport',
  'aws:sourceip',
  'aws:tokenissuetime',
  'aws:useragent',
  'aws:userid',
  'aws:username',
  's3:authtype',
  's3:delimiter',
  's3:if-match',
  's3:if-none-match',
  's3:max-keys',
  's3:prefix',
  's3:resourceaccount',
  's3:signatureage',
  's3:signatureversion',
  's3:versionid',
  's3:x-amz-acl',
  's3:x-amz-content-sha256',
  's3:x-amz-copy-source',
  's3:x-amz-metadata-directive',
  's3:x-amz-server-side-encryption',
  's3:x-amz-storage-class',
  'sts:externalid',
  'sts:rolesessionname',
])
