import { test } from 'vitest'
import { realGiteaSubject } from './subjects/gitea.ts'
import { story } from './story.ts'
import { conformance } from './suite.ts'

const where = process.env['TRUEUP_TEST_GITEA']
if (where) {
  conformance(realGiteaSubject(where))
  story(realGiteaSubject(where))
} else test.skip('a real Gitea (TRUEUP_TEST_GITEA=ADDRESS,NAME:PASSWORD of an administrator there)', () => {})
