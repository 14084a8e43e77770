//! Which objects a request means, visibility first.

use kubeplex_proto::kind::Scope;
use kubeplex_proto::list::ListRequest;
use kubeplex_proto::pattern::{Pattern, any_or_unrestricted};
use kubeplex_proto::selector::{FieldRequirement, FieldSelector, LabelSelector};
use kubeplex_proto::status::AgentError;
use kubeplex_proto::visibility::{KindVisibility, Visibility};

use super::events::EventFilter;
use super::field::{Candidate, Field};
use super::search::Matcher;
use crate::cache::{KindShape, KindStore, RowRef};

/// The conditions of one request.
pub(super) struct Filter<'a> {
    visibility: KindVisibility<'a>,
    /// Namespaces are cluster-scoped, but whoever sees into one sees it.
    is_namespaces: bool,
    namespaces: &'a [Pattern],
    names: &'a [Pattern],
    labels: &'a LabelSelector,
    row_fields: Vec<(Field, &'a FieldRequirement)>,
    object_fields: Vec<(Field, &'a FieldRequirement)>,
    /// Of events, what they must tell of.
    events: Option<EventFilter<'a>>,
    search: Option<Matcher<'a>>,
    /// What the label selector says of each label set, while the lock is held.
    verdicts: Vec<Verdict>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unknown,
    Passes,
    Fails,
}

/// The rows that may pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    /// These, sorted; `""` is where cluster-scoped objects are.
    Namespaces(Vec<String>),
    /// Namespace and name of each, sorted.
    Objects(Vec<(String, String)>),
}

/// More literal names than this are found by scanning.
const OBJECTS_LOOKED_UP: usize = 1_000;

impl<'a> Filter<'a> {
    pub(super) fn new(
        shape: &KindShape,
        visibility: &'a Visibility,
        (namespaces, names): (&'a [Pattern], &'a [Pattern]),
        labels: &'a LabelSelector,
    ) -> Self {
        Self {
            visibility: visibility.for_kind(&shape.id),
            is_namespaces: shape.id.group.is_empty() && shape.id.resource == "namespaces",
            // As in kubectl, a namespace says nothing about kinds outside of namespaces.
            namespaces: if shape.scope == Scope::Namespaced { namespaces } else { &[] },
            names,
            labels,
            row_fields: Vec::new(),
            object_fields: Vec::new(),
            events: None,
            search: None,
            verdicts: Vec::new(),
        }
    }

    /// # Errors
    /// `invalid_argument` for a field that the kind can't have.
    pub(super) fn with_fields(
        mut self,
        shape: &KindShape,
        selector: &'a FieldSelector,
    ) -> Result<Self, AgentError> {
        for requirement in &selector.requirements {
            let field = Field::resolve(shape, &requirement.path)?;
            let part = if field.needs_object() { &mut self.object_fields } else { &mut self.row_fields };
            part.push((field, requirement));
        }
        Ok(self)
    }

    /// `now_ms` is the cluster's time.
    ///
    /// # Errors
    /// `invalid_argument` where the request asks what events tell, of another kind.
    pub(super) fn with_events(
        mut self,
        shape: &KindShape,
        request: &'a ListRequest,
        now_ms: i64,
    ) -> Result<Self, AgentError> {
        let filter = |question| EventFilter::new(shape, question, &request.namespaces, now_ms);
        self.events = request.events.as_ref().map(filter).transpose()?;
        Ok(self)
    }

    pub(super) fn with_search(self, search: Matcher<'a>) -> Self {
        Self { search: Some(search), ..self }
    }

    /// Whether whole objects must be decoded.
    pub(super) fn needs_object(&self) -> bool {
        !self.object_fields.is_empty()
    }

    pub(super) fn reach(&self, shape: &KindShape) -> Reach {
        if self.visibility.is_empty() {
            return Reach::Objects(Vec::new());
        }
        let namespaces = match shape.scope {
            Scope::Namespaced => literals(self.namespaces),
            Scope::Cluster => Some(vec![String::new()]),
        };
        match (namespaces, literals(self.names)) {
            (Some(namespaces), Some(names)) if namespaces.len() * names.len() <= OBJECTS_LOOKED_UP => {
                let pair = |namespace: &String| {
                    names.iter().map(move |name| (namespace.clone(), name.clone())).collect::<Vec<_>>()
                };
                Reach::Objects(namespaces.iter().flat_map(pair).collect())
            }
            (Some(namespaces), _) if shape.scope == Scope::Namespaced => Reach::Namespaces(namespaces),
            _ => Reach::All,
        }
    }

    /// Whether the name of every row is looked at.
    pub(super) fn reads_names(&self) -> bool {
        !self.visibility.is_unrestricted()
            || !self.names.is_empty()
            || self.search.as_ref().is_some_and(Matcher::reads_names)
    }

    /// Prepares for rows that are read under one lock.
    pub(super) fn begin(&mut self, store: &KindStore) {
        self.verdicts.clear();
        self.verdicts.resize(store.label_set_bound(), Verdict::Unknown);
        if let Some(search) = &mut self.search {
            search.begin(store);
        }
    }

    /// Everything that the row alone can tell.
    pub(super) fn row_passes(&mut self, shape: &KindShape, row: RowRef<'_>) -> bool {
        let in_namespace =
            row.namespace().is_none_or(|namespace| any_or_unrestricted(self.namespaces, namespace));
        in_namespace
            && self.shows(row)
            && (self.names.is_empty() || any_or_unrestricted(self.names, row.name()))
            && self.labels_pass(row)
            && all_hold(&self.row_fields, Candidate { shape, row, object: None, told: None })
            && self.events.as_ref().is_none_or(|events| events.passes(row))
            && self.search.as_mut().is_none_or(|search| search.passes(row))
    }

    /// What only the whole object can tell.
    pub(super) fn object_passes(&self, candidate: Candidate<'_>) -> bool {
        all_hold(&self.object_fields, candidate)
    }

    fn shows(&self, row: RowRef<'_>) -> bool {
        // A name is not in its row but in the record behind it: a scan that has no use for names does not go there.
        if self.visibility.is_unrestricted() {
            return true;
        }
        if self.is_namespaces {
            return self.visibility.shows_namespace(row.name());
        }
        self.visibility.shows(row.namespace(), row.name())
    }

    fn labels_pass(&mut self, row: RowRef<'_>) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let verdict = &mut self.verdicts[row.label_set()];
        if *verdict == Verdict::Unknown {
            *verdict =
                if self.labels.matches(|key| row.label(key)) { Verdict::Passes } else { Verdict::Fails };
        }
        *verdict == Verdict::Passes
    }
}

fn all_hold(fields: &[(Field, &FieldRequirement)], candidate: Candidate<'_>) -> bool {
    fields
        .iter()
        .all(|(field, requirement)| field.reads(candidate, &requirement.value) != requirement.negated)
}

/// The names that patterns spell out, sorted; `None` where one of them is a glob, or there is none.
fn literals(patterns: &[Pattern]) -> Option<Vec<String>> {
    if patterns.is_empty() {
        return None;
    }
    let mut literals: Vec<String> =
        patterns.iter().map(|pattern| pattern.literal().map(str::to_owned)).collect::<Option<_>>()?;
    literals.sort_unstable();
    literals.dedup();
    Some(literals)
}
