/**
 * Names of people, roles, sessions and stored things as S3's policies write them. The account of an ARN is the tenant; S3's own
 * resources have none, because bucket names are unique.
 */
export const accountArn = (tenant: string) => `arn:aws:iam::${tenant}:root`
export const personArn = (tenant: string, name: string) => `arn:aws:iam::${tenant}:user/${name}`
export const roleArn = (tenant: string, name: string) => `arn:aws:iam::${tenant}:role/${name}`
export const sessionArn = (tenant: string, role: string, session: string) =>
  `arn:aws:sts::${tenant}:assumed-role/${role}/${session}`
export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`
export const objectArn = (bucket: string, key: string) => `arn:aws:s3:::${bucket}/${key}`

/** Tenant and name of a role. @returns undefined when it is no ARN of one */
export function readRoleArn(arn: string): { tenant: string; name: string } | undefined {
  const match = /^arn:aws:iam::([^:/]+):role\/([\w+=,.@-]{1,64})$/.exec(arn)
  return match ? { tenant: match[1] as string, name: match[2] as string } : undefined
}
