//! Compressing before the store's lock is taken.

use parking_lot::RwLock;

use super::codec;
use super::prepared::{Prepared, Pressed};
use super::store::KindStore;
use crate::limits;

/// Compresses those objects that are news to the store, so that its writer need not do it under the lock: that is most of
/// what taking an object in costs.
pub fn press<'a>(store: &RwLock<KindStore>, objects: impl Iterator<Item = &'a mut Prepared>) {
    let (news, dictionary) = {
        let store = store.read();
        let news: Vec<_> = objects.filter(|object| store.is_news(object)).collect();
        (news, store.codec.current().1)
    };
    for object in news.into_iter().filter(|object| object.json.len() <= limits::OBJECT_BYTES) {
        let mut frame = Vec::new();
        codec::compress(&object.json, dictionary.as_deref(), &mut frame);
        object.pressed = Some(Pressed { dictionary: dictionary.clone(), frame });
    }
}
