//! Versions of APIs that a release removes, and that somebody uses: by who wrote what there is, and by what the API server
//! says that it was asked for.

use std::collections::BTreeMap;

use kubeplex_proto::health::DeprecatedApi;
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::Visibility;

use super::requested::{self, Requested};
use super::{Looking, Part};
use crate::kinds::Kinds;
use crate::limits::HEALTH_NAMED;
use crate::problems::analysers::removed_in;
use crate::query::ScanBudget;
use crate::serve::rights::Access;

/// By version and plural.
type Found = BTreeMap<(String, String), DeprecatedApi>;

impl Looking<'_> {
    /// Of the kinds that are watched anyway.
    pub(super) async fn deprecated(&self) -> Part<Vec<DeprecatedApi>> {
        let (kinds, visibility) = (self.service.0.kinds.clone(), self.context.visibility.clone());
        let scan = move |budget: &ScanBudget| written(&kinds, &visibility, budget);
        let (written, requested) =
            tokio::join!(self.service.0.scans.run(self.deadline, scan), self.requested_apis());
        let mut not_known = None;
        let mut note = |why: String| not_known = Some(format!("deprecated APIs: {why}"));
        let mut found = written.unwrap_or_else(|error| {
            note(error.message);
            Found::new()
        });
        match requested {
            Ok(requested) => requested.into_iter().for_each(|api| add_requested(&mut found, api)),
            Err(why) => note(why),
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort();
        found.truncate(HEALTH_NAMED);
        Part { made: Some(found), not_known, ..Part::default() }
    }

    /// Nothing where the caller may not know, or the server does not tell.
    async fn requested_apis(&self) -> Result<Requested, String> {
        let shared = &self.service.0;
        let caller = &self.context.caller;
        let access = Access::to_path(requested::PATH);
        let api = match shared.rights.allow(caller, access, self.deadline).await {
            Ok(api) => api,
            Err(refused) if refused.status == LegStatus::Forbidden => return Ok(Requested::default()),
            Err(failed) => return Err(failed.message.unwrap_or_default()),
        };
        let read = requested::read(&api, self.deadline);
        let finding = shared.known.requested_apis.about(caller);
        finding.or_find_out(read).await.map_err(|error| error.to_string())
    }
}

/// What is there and was written so.
fn written(
    kinds: &Kinds,
    visibility: &Visibility,
    budget: &ScanBudget,
) -> Result<Found, kubeplex_proto::status::AgentError> {
    let mut found = Found::new();
    for handle in kinds.all_watched() {
        let id = &handle.info.id;
        let seen = visibility.for_kind(id);
        if seen.is_empty() {
            continue;
        }
        budget.check()?;
        for row in handle.store.read().rows() {
            let Some(writer) = row.last_manager() else { continue };
            let Some(removed_in) = removed_in(writer.api_version, &id.resource) else { continue };
            if seen.shows(row.namespace(), row.name()) {
                entry(&mut found, writer.api_version, &id.resource, removed_in).objects += 1;
            }
        }
    }
    Ok(found)
}

fn entry<'f>(found: &'f mut Found, version: &str, resource: &str, removed_in: u32) -> &'f mut DeprecatedApi {
    found.entry((version.to_owned(), resource.to_owned())).or_insert_with(|| DeprecatedApi {
        removed_in,
        version: version.to_owned(),
        resource: resource.to_owned(),
        ..DeprecatedApi::default()
    })
}

fn add_requested(found: &mut Found, (version, resource, removed_in): (String, String, u32)) {
    entry(found, &version, &resource, removed_in).requested = true;
}
