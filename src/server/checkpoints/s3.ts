import type { S3Client } from '@aws-sdk/client-s3'

export interface BucketPlace {
  bucket: string
  /** Empty, or ends with a slash. */
  prefix: string
  region?: string
  endpoint?: string
}

/** One object for each checkpoint, never written twice: with Object Lock on the bucket nobody takes it back. */
export async function putObjects(place: BucketPlace, lines: readonly { seq: number; line: string }[]): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3')
  await withClient(place, async (client) => {
    for (const { seq, line } of lines) {
      const Key = `${place.prefix}${String(seq).padStart(12, '0')}.json`
      const put = { Bucket: place.bucket, Key, Body: `${line}\n`, ContentType: 'application/json', IfNoneMatch: '*' }
      await client.send(new PutObjectCommand(put)).catch((error: Error) => {
        // Sent before, and not noted: what lies there is what counts, whatever it is.
        if (error.name !== 'PreconditionFailed') throw error
      })
    }
  })
}

/** All objects below the prefix, as lines. */
export async function getObjects(place: BucketPlace): Promise<string> {
  const { GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  const texts: string[] = []
  await withClient(place, async (client) => {
    let ContinuationToken: string | undefined
    do {
      const list = { Bucket: place.bucket, Prefix: place.prefix, ContinuationToken }
      const page = await client.send(new ListObjectsV2Command(list))
      for (const { Key } of page.Contents ?? []) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: place.bucket, Key }))
        texts.push((await Body?.transformToString()) ?? '')
      }
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
  })
  return texts.join('\n')
}

/** Credentials and, where the place names none, the region are those of the machine, as every tool of AWS finds them. */
async function withClient({ region, endpoint }: BucketPlace, work: (client: S3Client) => Promise<void>): Promise<void> {
  const { S3Client: Client } = await import('@aws-sdk/client-s3')
  const client = new Client({ ...(region && { region }), ...(endpoint && { endpoint, forcePathStyle: true }) })
  try {
    await work(client)
  } finally {
    client.destroy()
  }
}
