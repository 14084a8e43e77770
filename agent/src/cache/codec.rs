//! Whole objects, compressed: one zstd frame an object, so that each can be read alone, with a dictionary that the
//! objects of a kind share.

use std::sync::Arc;

use parking_lot::Mutex;
use zstd::zstd_safe::{CCtx, CDict, DCtx, DDict, compress_bound, get_frame_content_size};

/// The most that a dictionary may hold.
pub(super) const DICTIONARY_BYTES: usize = 32 << 10;

/// On the pods of the fixture 5 % smaller than level 3, for tables that are 260 KB larger a dictionary.
const LEVEL: i32 = 9;

/// Contexts kept for the next use; more may be in use at once.
const IDLE_CONTEXTS: usize = 4;

/// A dictionary in the forms in which it is used.
pub(super) struct Dictionary {
    encode: CDict<'static>,
    decode: DDict<'static>,
}

/// The dictionaries of one store, by generation. Generation 0 is "none".
#[derive(Default)]
pub(super) struct Codec {
    slots: Vec<Slot>,
    /// The generation with which objects are compressed.
    current: u16,
}

#[derive(Default)]
struct Slot {
    dictionary: Option<Arc<Dictionary>>,
    users: usize,
}

// Contexts are large and hold no state between frames, so all stores share a few.
static ENCODERS: Mutex<Vec<CCtx<'static>>> = Mutex::new(Vec::new());
static DECODERS: Mutex<Vec<DCtx<'static>>> = Mutex::new(Vec::new());

impl Dictionary {
    /// Trains on objects that lie one after the other in `samples`; `None` where nothing can be learnt from them.
    pub(super) fn train(samples: &[u8], sizes: &[usize]) -> Option<Self> {
        let mut bytes = zstd::dict::from_continuous(samples, sizes, DICTIONARY_BYTES).ok()?;
        // The four bytes behind the magic number are the dictionary's id. Rows know their generation, so the id need
        // not stand in every frame; zero says so.
        bytes.get_mut(4..8)?.fill(0);
        Some(Self { encode: CDict::create(&bytes, LEVEL), decode: DDict::create(&bytes) })
    }

    fn bytes(&self) -> usize {
        self.encode.sizeof() + self.decode.sizeof()
    }
}

impl Codec {
    /// The generation that new objects are compressed with, and its dictionary.
    pub(super) fn current(&self) -> (u16, Option<Arc<Dictionary>>) {
        (self.current, self.dictionary(self.current).cloned())
    }

    pub(super) fn dictionary(&self, generation: u16) -> Option<&Arc<Dictionary>> {
        self.slots.get(generation as usize).and_then(|slot| slot.dictionary.as_ref())
    }

    /// New objects are compressed with `dictionary` from here on.
    pub(super) fn adopt(&mut self, dictionary: Dictionary) {
        if self.slots.is_empty() {
            self.slots.push(Slot::default());
        }
        let is_free = |slot: &Slot| slot.dictionary.is_none() && slot.users == 0;
        let free = self.slots.iter().skip(1).position(is_free).map(|at| at + 1);
        let at = free.unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[at].dictionary = Some(Arc::new(dictionary));
        let previous = std::mem::replace(&mut self.current, at as u16);
        self.drop_if_unused(previous);
    }

    /// One more object of this generation.
    pub(super) fn retain(&mut self, generation: u16) {
        if self.slots.is_empty() {
            self.slots.push(Slot::default());
        }
        self.slots[generation as usize].users += 1;
    }

    /// One object of this generation less; the last one takes an outdated dictionary along.
    pub(super) fn release(&mut self, generation: u16) {
        self.slots[generation as usize].users -= 1;
        self.drop_if_unused(generation);
    }

    /// Objects that are not of the current generation.
    pub(super) fn outdated(&self) -> usize {
        let others = |(generation, slot): (usize, &Slot)| {
            if generation == self.current as usize { 0 } else { slot.users }
        };
        self.slots.iter().enumerate().map(others).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        let dictionaries = self.slots.iter().filter_map(|slot| slot.dictionary.as_ref());
        dictionaries.map(|dictionary| dictionary.bytes()).sum::<usize>()
            + self.slots.capacity() * size_of::<Slot>()
    }

    fn drop_if_unused(&mut self, generation: u16) {
        if let Some(slot) = self.slots.get_mut(generation as usize)
            && slot.users == 0
            && generation != self.current
        {
            slot.dictionary = None;
        }
    }
}

/// Compresses one object into `into`, replacing what it held.
pub(super) fn compress(json: &[u8], dictionary: Option<&Dictionary>, into: &mut Vec<u8>) {
    into.clear();
    into.reserve(compress_bound(json.len()));
    let mut context = ENCODERS.lock().pop().unwrap_or_else(CCtx::create);
    let done = match dictionary {
        Some(dictionary) => context.compress_using_cdict(into, json, &dictionary.encode),
        None => context.compress(into, json, LEVEL),
    };
    // The output has room for the worst case, and there is no other way to fail but for want of memory.
    debug_assert!(done.is_ok());
    give_back(&ENCODERS, context);
}

/// Decompresses one object into `into`, replacing what it held. False for bytes that are no frame of this dictionary.
pub(super) fn decompress(frame: &[u8], dictionary: Option<&Dictionary>, into: &mut Vec<u8>) -> bool {
    into.clear();
    let Ok(Some(length)) = get_frame_content_size(frame) else { return false };
    into.reserve(length as usize);
    let mut context = DECODERS.lock().pop().unwrap_or_else(DCtx::create);
    let done = match dictionary {
        Some(dictionary) => context.decompress_using_ddict(into, frame, &dictionary.decode),
        None => context.decompress(into, frame),
    };
    give_back(&DECODERS, context);
    done.is_ok()
}

/// Frees the contexts that nobody uses: each holds some hundred kilobytes, and after a list far fewer are needed.
pub(super) fn free_idle_contexts() {
    let idle = (std::mem::take(&mut *ENCODERS.lock()), std::mem::take(&mut *DECODERS.lock()));
    drop(idle);
}

fn give_back<T>(pool: &Mutex<Vec<T>>, context: T) {
    let mut idle = pool.lock();
    if idle.len() < IDLE_CONTEXTS {
        idle.push(context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(count: usize) -> Vec<Vec<u8>> {
        let object = |at: usize| {
            format!(
                r#"{{"metadata":{{"name":"cart-{at}","uid":"{:08x}","labels":{{"app":"cart","tier":"web{}"}}}},"spec":{{"nodeName":"node-{}"}}}}"#,
                at.wrapping_mul(2_654_435_761),
                at % 7,
                at % 13
            )
        };
        (0..count).map(|at| object(at).into_bytes()).collect()
    }

    #[test]
    fn objects_survive_with_and_without_a_dictionary() {
        let samples = samples(1_000);
        let sizes: Vec<_> = samples.iter().map(Vec::len).collect();
        let dictionary = Dictionary::train(&samples.concat(), &sizes).unwrap();
        let (mut frame, mut json) = (Vec::new(), Vec::new());
        let mut totals = [0, 0];
        for sample in &samples {
            for (total, dictionary) in totals.iter_mut().zip([None, Some(&dictionary)]) {
                compress(sample, dictionary, &mut frame);
                *total += frame.len();
                assert!(decompress(&frame, dictionary, &mut json));
                assert_eq!(&json, sample);
            }
        }
        assert!(totals[1] * 2 < totals[0], "{totals:?}");
    }

    #[test]
    fn too_little_to_learn_from_is_no_dictionary() {
        assert!(Dictionary::train(b"", &[]).is_none());
    }

    #[test]
    fn a_damaged_frame_is_refused() {
        let mut json = Vec::new();
        assert!(!decompress(b"no frame", None, &mut json));
        let mut frame = Vec::new();
        compress(&[b'x'; 5_000], None, &mut frame);
        frame.truncate(frame.len() - 3);
        assert!(!decompress(&frame, None, &mut json));
    }

    #[test]
    fn an_outdated_dictionary_goes_with_its_last_object() {
        let samples = samples(1_000);
        let sizes: Vec<_> = samples.iter().map(Vec::len).collect();
        let train = || Dictionary::train(&samples.concat(), &sizes).unwrap();
        let mut codec = Codec::default();
        codec.retain(0);
        codec.adopt(train());
        let (first, _) = codec.current();
        codec.retain(first);
        codec.adopt(train());
        let one = codec.bytes();
        assert_eq!(codec.outdated(), 2);
        assert!(codec.dictionary(first).is_some());
        codec.release(first);
        assert!(codec.dictionary(first).is_none());
        assert!(codec.bytes() < one);
    }
}
