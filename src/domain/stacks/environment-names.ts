/** How teams name environments, to recognise them in the names of directories and files. Never a rule of the product. */

export type Tier = 'development' | 'staging' | 'production'

const PRODUCTION = /^(prod|production|prd|live)$/
const STAGING =
  /^(stage|staging|stag|stg|test|testing|tst|qa|uat|int|integration|acc|acceptance|pre-?prod(uction)?|preview)$/
const DEVELOPMENT = /^(dev|devel|develop|development|sandbox|sbx|nonprod|non-prod|demo|lab|local|ci)$/
/** Words that are environments only where their place says so: anywhere else they are a directory like others. */
const ONLY_IN_PLACE = /^(live|test|testing|int|integration|acceptance|acc|preview|demo|lab|local|ci)$/
/** What follows an environment's word: a number, a region, a colour. */
const SUFFIX =
  /^[-_.]?(\d{1,2}|[a-z]{2}|[a-z]{2}-[a-z]+-?\d?|(eu|us|ap|sa|af|me|ca)[a-z0-9-]*|east|west|north|south|blue|green)$/

/** Directories whose members are environments, whatever they are called. */
const CONTAINER = /^(environments?|envs?|inventor(y|ies)|clusters|stages)$/
/** Directories whose members are environments when one of them is called like one. */
const MAYBE_CONTAINER = /^(overlays|live|accounts|variants|deployments?|values|vars|tfvars|config|configs)$/
/** Members of such directories that are what the environments have in common. */
export const IN_COMMON =
  /^(base|bases|common|shared|global|globals|default|defaults|all|modules|components|templates|charts|group_vars|host_vars|lib|library|files|scripts|[._].*)$/i

/** The tier that a name suggests; `development`, with the fewest rules, where it suggests none. */
export function suggestedTier(name: string): Tier {
  const word = wordOf(name.toLowerCase())
  if (PRODUCTION.test(word)) return 'production'
  return STAGING.test(word) ? 'staging' : 'development'
}

/** Whether a name is an environment's by itself: `prod`, `staging-eu`, `qa2`. */
export function isEnvironmentName(name: string): boolean {
  const word = wordOf(name.toLowerCase())
  return word !== '' && !ONLY_IN_PLACE.test(word)
}

/** Whether it may be one where everything beside it is, too. */
export const mayBeEnvironmentName = (name: string): boolean => wordOf(name.toLowerCase()) !== ''

/** The environment's word in a name such as `prod-eu-west-1`, `eu-prod`, `qa2`; empty where there is none. */
function wordOf(name: string): string {
  const isWord = (word: string): boolean => PRODUCTION.test(word) || STAGING.test(word) || DEVELOPMENT.test(word)
  if (isWord(name)) return name
  const [, first = '', rest = ''] = /^([a-z]+(?:-prod(?:uction)?)?)(.*)$/.exec(name) ?? []
  if (isWord(first) && SUFFIX.test(rest)) return first
  const last = /[-_.]([a-z]+)$/.exec(name)?.[1] ?? ''
  return isWord(last) && SUFFIX.test(name.slice(0, -last.length - 1)) ? last : ''
}

/** Where in a path its environment is named. */
export interface EnvironmentSegment {
  index: number
  /** `prod`. */
  name: string
  /** The segment with the environment's place in it: `{environment}`, `infra-{environment}`. */
  pattern: string
}

/**
 * The segment of a path that names an environment, the innermost where several do; null where none does.
 * `hasSiblings` tells of a directory whether one of its members is called like an environment: in `overlays` and the like
 * all members are environments then.
 */
export function environmentSegment(
  path: string,
  hasSiblings: (directory: string) => boolean = () => false,
): EnvironmentSegment | null {
  const segments = path.split('/')
  for (let index = 1; index < segments.length; index++) {
    const [above, name] = [segments[index - 1]!, segments[index]!]
    if (IN_COMMON.test(name)) continue
    const container = segments.slice(0, index).join('/')
    if (CONTAINER.test(above) || (MAYBE_CONTAINER.test(above) && hasSiblings(container)))
      return { index, name, pattern: '{environment}' }
  }
  const whole = segments.flatMap((name, index) =>
    isEnvironmentName(name) ? [{ index, name, pattern: '{environment}' }] : [],
  )
  // `non-prod/eu-west-1/qa`: the inner one says it more exactly.
  if (whole.length > 0) return whole.at(-1)!
  const affixed = segments.flatMap((segment, index) => {
    const [, before, name = ''] = AFFIXED.exec(segment) ?? []
    return before === undefined ? [] : [{ index, name, pattern: `${before}{environment}` }]
  })
  return affixed.length === 1 ? affixed[0]! : null
}

/** `infra-prod`; the other way round (`prod-infra`) it is as often a product's name. */
const AFFIXED = /^(.+[-_])(prod|production|prd|stage|staging|stg|qa|uat|dev|development)$/
