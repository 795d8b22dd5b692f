# Of the double (see ../../../chef-client): takes every event and does nothing, as Chef's own base class does.
class Chef
  module EventDispatch
    class Base
      %i[
        run_start run_started run_completed run_failed cookbook_resolution_failed run_list_expand_failed recipe_not_found
        recipe_file_load_failed attribute_file_load_failed converge_start converge_complete resource_action_start
        resource_current_state_loaded resource_skipped resource_up_to_date resource_update_applied resource_updated
        resource_failed resource_completed whyrun_assumption cookbook_gem_start
      ].each { |event| define_method(event) { |*_| nil } }
    end
  end
end
