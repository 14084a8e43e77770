//! Reading: what answers say, compared with what the API servers say themselves. Every question is put to a simulated fleet,
//! to a real one, and to clusters that the tester names.

mod agree;
mod budgets;
mod commands;
mod describe;
mod events;
mod groups;
mod health;
mod kinds;
mod lists;
mod objects;
mod orders;
mod pages;
mod search;
mod selectors;

/// A test on each ground for every question.
macro_rules! on_every_ground {
    ($($module:ident: $($question:ident),+;)+) => {
        mod simulated {
            use crate::{ground, reading};
            $($(#[test] fn $question() { ground::simulated(reading::$module::$question); })+)+
        }
        mod real {
            use crate::{ground, reading};
            $($(#[test] fn $question() { ground::real(stringify!($question), reading::$module::$question); })+)+
        }
        mod foreign {
            use crate::{ground, reading};
            $($(#[test] fn $question() { ground::foreign(stringify!($question), reading::$module::$question); })+)+
        }
    };
}

on_every_ground! {
    budgets: no_usual_answer_is_above_eight_kilobytes;
    describe: workloads_are_described_with_what_they_make,
        what_is_not_there_is_refused_as_resources_get_refuses_it;
    lists: pods_are_those_of_all_servers, totals_and_counts_are_of_all_matches, columns_say_what_the_server_prints,
        fields_choose_columns_and_paths, rows_can_be_objects, clusters_are_listed;
    orders: restarts_of_all_clusters_in_one_order, ages_of_all_clusters_in_one_order, labels_of_clusters_order_rows,
        paths_order_rows, quantities_order_by_value;
    pages: every_row_comes_once_whatever_the_page_size, a_budget_cuts_at_a_row_and_says_so;
    selectors: label_selectors_agree_with_the_server, field_selectors_agree_with_the_server,
        any_path_can_be_selected_by, namespaces_are_selected_by_globs, clusters_are_selected_by_name_and_label;
    kinds: every_kind_has_as_many_rows_as_its_server_says, kinds_are_absent_where_they_are_not_served,
        a_misspelt_kind_is_told_the_nearest_one, a_kind_of_one_cluster_is_listed_from_there,
        printer_columns_are_those_of_the_crd;
    objects: equal_objects_come_once_with_their_clusters, distinct_objects_stand_apart,
        no_answer_has_managed_fields, fields_cut_an_object_down, what_is_too_large_is_left_out_and_named;
    events: events_are_those_of_all_servers, events_are_found_by_what_they_tell_of, the_newest_events_come_first,
        times_select_events;
    groups: groups_count_what_the_servers_have, groups_are_those_of_all_rows, kinds_are_those_of_all_servers,
        groups_of_clusters_and_kinds_are_counted;
    commands: commands_list_what_the_servers_have, named_objects_are_rows_and_whole_objects,
        commands_end_as_scripts_expect;
    health: clusters_are_as_their_servers_say, room_and_workloads_are_what_the_servers_hold;
    search: terms_find_what_the_servers_have, the_best_matches_come_first_and_pages_follow, matches_are_counted,
        a_kind_of_one_cluster_is_found_where_it_is, mistakes_in_a_query_have_their_column;
}
