import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { secretInputs } from '../../values/redaction.ts'
import type { PlanJson, StateModule } from '../tool/plan-json.ts'

/** Text of every sensitive value the plan knows: inputs, variables declared sensitive, what masks cover, data sources. */
export function secretsOf(context: DriverContext<unknown>, plan: PlanJson): string[] {
  const secrets = new Set<string>(secretInputs(context))
  for (const [name, declared] of Object.entries(plan.configuration.root_module?.variables ?? {})) {
    if (declared.sensitive) collect(plan.variables[name]?.value ?? null, true, secrets)
  }
  for (const { change } of [...plan.resource_changes, ...plan.resource_drift]) {
    collect(change.before ?? null, change.before_sensitive ?? null, secrets)
    collect(change.after ?? null, change.after_sensitive ?? null, secrets)
  }
  for (const change of Object.values(plan.output_changes)) {
    collect(change.before ?? null, change.before_sensitive ?? null, secrets)
    collect(change.after ?? null, change.after_sensitive ?? null, secrets)
  }
  collectData(plan.prior_state.values?.root_module, secrets)
  secrets.delete('')
  return [...secrets]
}

function collectData(module: StateModule | undefined, into: Set<string>): void {
  for (const { mode, values, sensitive_values: mask } of module?.resources ?? []) {
    if (mode === 'data') collect(values ?? null, mask ?? null, into)
  }
  for (const child of module?.child_modules ?? []) collectData(child, into)
}

function collect(value: Json, mask: Json, into: Set<string>): void {
  if (value === null || mask === null || mask === false) return
  if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const own = typeof mask === 'object' && Object.hasOwn(mask, key) ? (mask as { [key: string]: Json })[key] : null
      collect(inner, mask === true ? true : (own ?? null), into)
    }
  } else if (mask === true && typeof value !== 'boolean') into.add(String(value))
}
