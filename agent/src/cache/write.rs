//! Putting objects into the store's parts, and taking them out again.

use super::cell::Packed;
use super::prepared::{LastWriter, Prepared};
use super::records::RecordAt;
use super::row::{RowRef, uid_bytes};
use super::rows::{Body, Row, Uid, Version};
use super::store::KindStore;
use super::strings::{Strings, Symbol};

/// Scratch space that is kept between objects; a larger one is freed after use.
const SCRATCH_KEPT: usize = 64 << 10;

impl KindStore {
    /// A new row; nothing has its name yet.
    pub(super) fn create(&mut self, object: &Prepared) {
        let row = self.describe(object);
        let id = self.rows.insert(row);
        self.fill(id, object);
        let hash = self.hash_key(&object.namespace, &object.name);
        // The index hashes rows again when it grows, while it is not part of the store.
        let mut index = std::mem::take(&mut self.index);
        index.insert_unique(hash, id, |id| self.hash_row(*id));
        self.index = index;
        let mut order = std::mem::take(&mut self.order);
        order.insert(id, |other| self.compare_key(other, &object.namespace, &object.name));
        self.order = order;
    }

    /// Another version, or another object, in the place of a row.
    pub(super) fn replace(&mut self, id: u32, object: &Prepared) {
        let old = *self.rows.get(id);
        let cells = self.rows.cells(id).to_vec();
        let row = self.describe(object);
        *self.rows.get_mut(id) = row;
        self.fill(id, object);
        // What both share is still referenced by the new row.
        self.release(&old, &cells);
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, id: u32) {
        let row = RowRef::new(self, id);
        let (namespace, name) = (row.namespace().unwrap_or_default().to_owned(), row.name().to_owned());
        let hash = self.hash_key(&namespace, &name);
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
        let mut order = std::mem::take(&mut self.order);
        order.remove(|other| self.compare_key(other, &namespace, &name));
        self.order = order;
        let (row, cells) = (*self.rows.get(id), self.rows.cells(id).to_vec());
        self.rows.remove(id);
        self.release(&row, &cells);
    }

    /// Gives a row another id, so that the rows can be brought together.
    pub(super) fn rename(&mut self, from: u32, to: u32) {
        self.records.set_row(self.rows.get(to).record, to);
        let row = RowRef::new(self, to);
        let (namespace, name) = (row.namespace().unwrap_or_default().to_owned(), row.name().to_owned());
        let hash = self.hash_key(&namespace, &name);
        if let Some(id) = self.index.find_mut(hash, |id| *id == from) {
            *id = to;
        }
        let mut order = std::mem::take(&mut self.order);
        order.rename(to, |other| self.compare_key(if other == from { to } else { other }, &namespace, &name));
        self.order = order;
    }

    pub(super) fn hash_row(&self, id: u32) -> u64 {
        let row = RowRef::new(self, id);
        self.hash_key(row.namespace().unwrap_or_default(), row.name())
    }

    /// The fixed part of an object's row; its record and cells follow in [`fill`](Self::fill).
    fn describe(&mut self, object: &Prepared) -> Row {
        let strings = &mut self.strings;
        Row {
            record: RecordAt::NOWHERE,
            uid: pack_uid(&object.uid, strings),
            version: pack_version(&object.version, strings),
            created_ms: object.created_ms.unwrap_or(i64::MIN),
            written_ms: object.last_writer.as_ref().map_or(0, |writer| writer.time_ms),
            writer: object.last_writer.as_ref().map(|writer| pack_writer(writer, strings)),
            namespace: strings.take(&object.namespace),
            labels: self.labels.take(&object.labels, strings),
            mark: self.mark,
            name_length: object.name.len() as u16,
            body: Body::TooLarge,
        }
    }

    fn fill(&mut self, id: u32, object: &Prepared) {
        let (mut scratch, body) = self.encode(object);
        if let Body::Compressed(generation) = body {
            self.codec.retain(generation);
        }
        let record = self.records.put(id, &[object.name.as_bytes(), &scratch]);
        if scratch.capacity() > SCRATCH_KEPT {
            scratch = Vec::new();
        }
        self.scratch = scratch;
        let row = self.rows.get_mut(id);
        (row.record, row.body) = (record, body);
        for (slot, cell) in self.rows.cells_mut(id).iter_mut().zip(&object.cells) {
            *slot = Packed::pack(cell, &object.name, &mut self.strings);
        }
    }

    fn release(&mut self, row: &Row, cells: &[Packed]) {
        self.records.free(row.record);
        cells.iter().for_each(|cell| cell.release(&mut self.strings));
        self.labels.release(row.labels, &mut self.strings);
        self.strings.release(row.namespace);
        row.writer.into_iter().for_each(|writer| self.strings.release(writer));
        if let Uid::Text(symbol) = row.uid {
            self.strings.release(symbol);
        }
        if let Version::Text(symbol) = row.version {
            self.strings.release(symbol);
        }
        if let Body::Compressed(generation) = row.body {
            self.codec.release(generation);
        }
    }
}

fn pack_uid(uid: &str, strings: &mut Strings) -> Uid {
    match uid_bytes(uid) {
        Some(bytes) => Uid::Binary(bytes),
        None if uid.is_empty() => Uid::Absent,
        None => Uid::Text(strings.take(uid)),
    }
}

fn pack_version(version: &str, strings: &mut Strings) -> Version {
    match version.parse::<u64>() {
        // A spelling with zeros or a sign in front would come back as another.
        Ok(number) if number.to_string() == version => Version::Number(number),
        _ => Version::Text(strings.take(version)),
    }
}

fn pack_writer(writer: &LastWriter, strings: &mut Strings) -> Symbol {
    strings.take(&[writer.manager.as_str(), &writer.operation, &writer.api_version].join("\0"))
}
