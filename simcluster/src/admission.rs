//! What a server does to objects on their way into the store: names, uids, times, generations, conflicts, finalizers; and what follows from a
//! write of a kind that changes the server itself (CRDs, namespaces).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::catalog::{Origin, Resource, parse_crd};
use crate::clock::seconds;
use crate::cluster::Shared;
use crate::json::{items, merge_patch, remove, set, text};
use crate::names::{GroupResource, ObjectKey};
use crate::status::ApiError;
use crate::store::{Change, Record, Write};

/// Which part of an object a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The object without its status, where the kind has a status subresource.
    Main,
    /// Only the status.
    Status,
}

/// How an object is changed.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Replace(Value),
    Merge(Value),
}

/// Whether a write is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Real,
    DryRun,
}

/// What must be true of an object for it to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
}

impl Shared {
    /// Stores a new object and returns it as stored.
    ///
    /// # Errors
    /// As the server's: no name, no such namespace, a name that is taken, a CRD that is none.
    pub(crate) fn create(
        &self,
        resource: &Resource,
        namespace: &str,
        mut object: Value,
        mode: Mode,
    ) -> Result<Value, ApiError> {
        self.complete(resource, namespace, &mut object)?;
        let (kind, key) = (resource.group_resource(), key_of(&object));
        if !namespace.is_empty() && !self.has_namespace(namespace) {
            return Err(ApiError::not_found(&GroupResource::new("", "namespaces"), namespace));
        }
        let decide = |current: Option<Value>| match (current, mode) {
            (Some(_), _) => Err(ApiError::already_exists(&kind, key.name())),
            (None, Mode::Real) => Ok(Write::Put(object.clone())),
            (None, Mode::DryRun) => Ok(Write::Keep),
        };
        let change = self.store.write(&kind, &key, Record::Change, decide)?;
        Ok(self.settle(resource, change.as_deref(), object))
    }

    /// Changes an existing object and returns it as stored.
    ///
    /// # Errors
    /// As the server's: not found, a conflict of resource versions or uids, a CRD that is none.
    pub(crate) fn edit(
        &self,
        resource: &Resource,
        key: &ObjectKey,
        edit: &Edit,
        part: Part,
        mode: Mode,
    ) -> Result<Value, ApiError> {
        let kind = resource.group_resource();
        let mut result = Value::Null;
        let decide = |current: Option<Value>| {
            let Some(current) = current else { return Err(ApiError::not_found(&kind, key.name())) };
            let next = self.edited(resource, key, &current, edit, part)?;
            result = next.clone();
            let is_finished = !text(&next, "/metadata/deletionTimestamp").is_empty()
                && items(&next, "/metadata/finalizers").is_empty();
            Ok(match mode {
                _ if next == current => Write::Keep,
                Mode::DryRun => Write::Keep,
                Mode::Real if is_finished => Write::Remove(next),
                Mode::Real => Write::Put(next),
            })
        };
        let change = self.store.write(&kind, key, Record::Change, decide)?;
        Ok(self.settle(resource, change.as_deref(), result))
    }

    /// Deletes an object, or marks it as being deleted where finalizers hold it. Returns its last state.
    ///
    /// # Errors
    /// Not found, or a precondition that does not hold.
    pub(crate) fn remove(
        &self,
        resource: &Resource,
        key: &ObjectKey,
        preconditions: &Preconditions,
        mode: Mode,
    ) -> Result<Value, ApiError> {
        let kind = resource.group_resource();
        let now = seconds(self.clock().now());
        let mut result = Value::Null;
        let decide = |current: Option<Value>| {
            let Some(mut current) = current else { return Err(ApiError::not_found(&kind, key.name())) };
            preconditions.check(&kind, key.name(), &current)?;
            let is_held = !items(&current, "/metadata/finalizers").is_empty();
            let is_marked = !text(&current, "/metadata/deletionTimestamp").is_empty();
            if is_held && !is_marked {
                set(&mut current, "/metadata/deletionTimestamp", now.clone());
                set(&mut current, "/metadata/deletionGracePeriodSeconds", 0);
            }
            result = current.clone();
            Ok(match (mode, is_held, is_marked) {
                (Mode::DryRun, _, _) | (_, true, true) => Write::Keep,
                (Mode::Real, true, false) => Write::Put(current),
                (Mode::Real, false, _) => Write::Remove(current),
            })
        };
        let change = self.store.write(&kind, key, Record::Change, decide)?;
        Ok(self.settle(resource, change.as_deref(), result))
    }

    /// Stores an object whatever is there, status included, as the simulation's own controllers do. What the object does not say about its
    /// identity is kept, or made up.
    ///
    /// # Errors
    /// No name, or a CRD that is none.
    pub(crate) fn put(
        &self,
        resource: &Resource,
        mut object: Value,
        record: Record,
    ) -> Result<Arc<Change>, ApiError> {
        let namespace = text(&object, "/metadata/namespace").to_owned();
        self.complete(resource, &namespace, &mut object)?;
        let (kind, key) = (resource.group_resource(), key_of(&object));
        let decide = |current: Option<Value>| {
            if let Some(current) = current {
                keep_identity(&current, &mut object);
            }
            Ok::<_, ApiError>(Write::Put(std::mem::take(&mut object)))
        };
        let change = self.store.write(&kind, &key, record, decide)?;
        let change = change.ok_or_else(|| ApiError::other(500, "a put always writes"))?;
        self.follow(resource, &change);
        Ok(change)
    }

    /// Fills in what the server decides of a new object.
    fn complete(&self, resource: &Resource, namespace: &str, object: &mut Value) -> Result<(), ApiError> {
        if text(object, "/metadata/name").is_empty() {
            let prefix = text(object, "/metadata/generateName");
            if prefix.is_empty() {
                let cause = "Required value: name or generateName is required".to_owned();
                let causes = [("metadata.name".to_owned(), "FieldValueRequired", cause)];
                return Err(ApiError::invalid(&resource.group, &resource.kind, "", &causes));
            }
            let name = format!("{prefix}{}", self.random_suffix());
            set(object, "/metadata/name", name);
        }
        match namespace {
            "" => drop(remove(object, "/metadata/namespace")),
            namespace => set(object, "/metadata/namespace", namespace),
        }
        if text(object, "/metadata/uid").is_empty() {
            set(object, "/metadata/uid", self.random_uid());
        }
        if text(object, "/metadata/creationTimestamp").is_empty() {
            set(object, "/metadata/creationTimestamp", seconds(self.clock().now()));
        }
        if object.get("spec").is_some() && object.pointer("/metadata/generation").is_none() {
            set(object, "/metadata/generation", 1);
        }
        if is_crd(resource) {
            complete_crd(object, &seconds(self.clock().now()))?;
        }
        Ok(())
    }

    fn edited(
        &self,
        resource: &Resource,
        key: &ObjectKey,
        current: &Value,
        edit: &Edit,
        part: Part,
    ) -> Result<Value, ApiError> {
        let mut next = match edit {
            Edit::Replace(object) => object.clone(),
            Edit::Merge(patch) => {
                let mut merged = current.clone();
                merge_patch(&mut merged, patch);
                merged
            }
        };
        let kind = resource.group_resource();
        Preconditions::stated_by(&next).check(&kind, key.name(), current)?;
        limit_to(part, resource, current, &mut next);
        keep_identity(current, &mut next);
        if is_crd(resource) {
            complete_crd(&mut next, &seconds(self.clock().now()))?;
        }
        Ok(next)
    }

    /// What follows from a change; the answer is the stored object, or `otherwise` where nothing was written.
    fn settle(&self, resource: &Resource, change: Option<&Change>, otherwise: Value) -> Value {
        let Some(change) = change else { return typed(resource, otherwise) };
        self.follow(resource, change);
        typed(resource, change.last().value())
    }

    /// Writes of some kinds change the server itself.
    fn follow(&self, resource: &Resource, change: &Change) {
        let is_deleted = change.kind() == crate::store::ChangeKind::Deleted;
        if is_crd(resource) {
            let before = change.old().map(|old| old.value()["spec"].clone());
            self.crd_changed(&change.last().value(), before.as_ref(), is_deleted);
        }
        if resource.group.is_empty() && resource.plural == "namespaces" && is_deleted {
            self.empty_namespace(change.last().key().name());
        }
    }

    /// A definition that says something else is served anew: as in a real server that ends the watches of its kind.
    fn crd_changed(&self, crd: &Value, before: Option<&Value>, is_deleted: bool) {
        let origin = Origin::Custom { crd: text(crd, "/metadata/name").into(), columns: Vec::new() };
        let kind = GroupResource::new(text(crd, "/spec/group"), text(crd, "/spec/names/plural"));
        if is_deleted {
            self.update_catalog(|catalog| catalog.without(&origin));
            self.store.drop_kind(&kind);
            return;
        }
        if let Ok(resources) = parse_crd(crd) {
            self.update_catalog(|catalog| catalog.with(&origin, resources));
            if before.is_some_and(|before| *before != crd["spec"]) {
                self.store.end_watches(&kind);
            }
        }
    }

    fn empty_namespace(&self, namespace: &str) {
        let mut kinds: Vec<GroupResource> = self.catalog().served().map(|r| r.group_resource()).collect();
        kinds.dedup();
        let scope = crate::store::Scope { namespace, ..Default::default() };
        for kind in kinds {
            let Ok(page) = self.store.list(&kind, scope) else { continue };
            for object in page.objects {
                let removal =
                    |current: Option<Value>| Ok::<_, ()>(current.map_or(Write::Keep, Write::Remove));
                let _ = self.store.write(&kind, object.key(), Record::Change, removal);
            }
        }
    }

    fn has_namespace(&self, name: &str) -> bool {
        self.store.get(&GroupResource::new("", "namespaces"), &ObjectKey::new("", name)).is_some()
    }
}

impl Preconditions {
    /// What an object in a request says about the version that it was made from.
    fn stated_by(object: &Value) -> Self {
        Self {
            uid: text(object, "/metadata/uid").into(),
            resource_version: text(object, "/metadata/resourceVersion").into(),
        }
    }

    fn check(&self, kind: &GroupResource, name: &str, current: &Value) -> Result<(), ApiError> {
        let (uid, version) = (text(current, "/metadata/uid"), text(current, "/metadata/resourceVersion"));
        if !self.uid.is_empty() && self.uid != uid {
            let cause =
                format!("Precondition failed: UID in precondition: {}, UID in object meta: {uid}", self.uid);
            return Err(ApiError::conflict(kind, name, &cause));
        }
        if !self.resource_version.is_empty() && self.resource_version != version {
            let cause =
                "the object has been modified; please apply your changes to the latest version and try again";
            return Err(ApiError::conflict(kind, name, cause));
        }
        Ok(())
    }
}

/// The key that an object's own metadata says.
pub(crate) fn key_of(object: &Value) -> ObjectKey {
    ObjectKey::new(text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

/// The object with kind and version in front, as answers carry it.
pub(crate) fn typed(resource: &Resource, object: Value) -> Value {
    let mut out = json!({"kind": resource.kind, "apiVersion": resource.api_version()});
    if let (Some(out), Value::Object(map)) = (out.as_object_mut(), object) {
        out.extend(map.into_iter().filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion")));
    }
    out
}

fn is_crd(resource: &Resource) -> bool {
    resource.plural == "customresourcedefinitions" && resource.group == "apiextensions.k8s.io"
}

/// A write to one part leaves the other as it was.
fn limit_to(part: Part, resource: &Resource, current: &Value, next: &mut Value) {
    let has_status = resource.subresources.iter().any(|name| name == "status");
    match part {
        Part::Main if !has_status => {}
        Part::Main => {
            let status = current.get("status").cloned();
            let Some(map) = next.as_object_mut() else { return };
            match status {
                Some(status) => drop(map.insert("status".into(), status)),
                None => drop(map.shift_remove("status")),
            }
        }
        Part::Status => {
            let status = next.get("status").cloned();
            *next = current.clone();
            if let Some(status) = status {
                set(next, "/status", status);
            }
        }
    }
}

/// What no write changes, and the generation, which follows the spec.
fn keep_identity(current: &Value, next: &mut Value) {
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "resourceVersion"] {
        let pointer = format!("/metadata/{field}");
        match current.pointer(&pointer) {
            Some(value) => set(next, &pointer, value.clone()),
            None if field == "deletionTimestamp" => {}
            None => drop(remove(next, &pointer)),
        }
    }
    if let Some(generation) = current.pointer("/metadata/generation").and_then(Value::as_i64) {
        let changed = current.get("spec") != next.get("spec");
        set(next, "/metadata/generation", generation + i64::from(changed));
    }
    for field in ["kind", "apiVersion"] {
        if let Some(map) = next.as_object_mut() {
            map.shift_remove(field);
        }
    }
}

/// The names and conditions that the API server's own controller writes to a CRD.
fn complete_crd(crd: &mut Value, now: &str) -> Result<(), ApiError> {
    let refuse = |error: crate::catalog::CrdError| {
        let message = error.to_string();
        let (field, cause) = message.split_once(": ").unwrap_or(("spec", &message));
        let causes = [(field.to_owned(), "FieldValueInvalid", cause.to_owned())];
        ApiError::invalid(
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            text(crd, "/metadata/name"),
            &causes,
        )
    };
    parse_crd(crd).map_err(refuse)?;
    if crd.pointer("/status/conditions").is_some() {
        return Ok(());
    }
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message});
    let conditions = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    let names = crd.pointer("/spec/names").cloned().unwrap_or_default();
    let versions = items(crd, "/spec/versions").iter().filter(|version| version["storage"] == true);
    let stored: Vec<Value> = versions.map(|version| version["name"].clone()).collect();
    set(crd, "/status", json!({"conditions": conditions, "acceptedNames": names, "storedVersions": stored}));
    Ok(())
}
