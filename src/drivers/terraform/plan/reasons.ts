/**
 * The tool's reasons for an action in plain words (https://developer.hashicorp.com/terraform/internals/json-format#change-representation,
 * `action_reason`). One that is not known here stays as it is.
 */
const WORDS: { readonly [reason: string]: string } = {
  replace_because_tainted: 'must be replaced: an earlier apply left it half made',
  replace_because_cannot_update: 'cannot be changed in place',
  replace_by_request: 'to be replaced, as asked',
  replace_by_triggers: 'must be replaced with what it is triggered by',
  delete_because_no_resource_config: 'no longer in the code',
  delete_because_no_module: 'its module is no longer in the code',
  delete_because_wrong_repetition: 'the code has another kind of instances (count, for_each)',
  delete_because_enabled_false: 'its `enabled` is false',
  delete_because_count_index: 'beyond its count',
  delete_because_each_key: 'its key is not in for_each any more',
  delete_because_no_move_target: 'moved to an address that is not in the code',
  read_because_config_unknown: 'read when its settings are known',
  read_because_dependency_pending: 'read when what it needs is there',
  read_because_check_nested: 'read for a check',
}

export const wordOf = (reason: string | undefined): string | undefined =>
  reason === undefined ? undefined : (WORDS[reason] ?? reason)

/** Why a change is left for a later plan (`reason` of `deferred_changes`). */
const DEFERRED: { readonly [reason: string]: string } = {
  instance_count_unknown: 'how many there are is known only after this apply',
  resource_config_unknown: 'its settings are known only after this apply',
  provider_config_unknown: 'how to reach its provider is known only after this apply',
  absent_prereq: 'something it needs does not exist yet',
  deferred_prereq: 'something it needs is left for a later plan too',
  excluded: 'the call of the tool leaves it out (-exclude)',
  not_included: 'the call of the tool does not name it (-target)',
}

export const deferredWord = (reason: string): string => DEFERRED[reason] ?? reason
