import { describe } from 'vitest'
import { giteaDoubleSubject } from './subjects/gitea.ts'
import { githubDoubleSubject } from './subjects/github.ts'
import { gitlabDoubleSubject } from './subjects/gitlab.ts'
import { story } from './story.ts'

for (const subject of [giteaDoubleSubject, gitlabDoubleSubject, githubDoubleSubject])
  describe(subject.name, () => story(subject))
