//! Files that are torn, too many or too old, and a process that comes after another.

use std::fs::OpenOptions;
use std::time::Instant;

use kubeplex_proto::changes::{Deed, GapReason};
use tokio_util::sync::CancellationToken;

use super::*;

const WIDE: Bounds = Bounds { bytes: 1 << 30, age_ms: i64::MAX / 4 };

/// A directory of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("kubeplex-history-{}", uuid::Uuid::new_v4())))
    }

    fn open(&self, bounds: Bounds) -> Disk {
        Disk::open(&self.0, bounds).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|is| is == "changes")).collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn record(at_ms: i64, name: &str) -> Record {
    Record {
        at_ms,
        after_ms: None,
        group: String::new(),
        resource: "pods".to_owned(),
        kind_name: "Pod".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        uid: String::new(),
        deed: Deed::Created,
        fields: Vec::new(),
        more_fields: 0,
        by: None,
        owner: None,
        inferred: false,
    }
}

fn lines(times: std::ops::Range<i64>) -> Vec<Line> {
    let line = |at: i64| (at, serde_json::to_vec(&record(at, &format!("p{at}"))).unwrap().into_boxed_slice());
    times.map(line).collect()
}

fn read(disk: &Disk, from_ms: i64, to_ms: i64) -> Vec<i64> {
    let budget =
        ScanBudget::new(Instant::now() + std::time::Duration::from_secs(60), CancellationToken::new());
    let kept = disk.read(from_ms, to_ms, &budget).unwrap();
    kept.records.iter().map(|record| record.at_ms).collect()
}

#[test]
fn what_one_process_wrote_the_next_one_reads() {
    let folder = Folder::new();
    let disk = folder.open(WIDE);
    assert_eq!((disk.first_ms(), disk.alive_ms()), (None, None));
    disk.write(&lines(10..20), Some(25), 25).unwrap();
    let gap = Gap { from_ms: Some(12), to_ms: 15, kind: None, reason: GapReason::Relist };
    disk.write(&gap_line(&gap).into_iter().chain(lines(30..32)).collect::<Vec<_>>(), Some(40), 40).unwrap();
    let busy = Disk::open(&folder.0, WIDE).err().unwrap();
    assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
    drop(disk);
    let disk = folder.open(WIDE);
    assert_eq!((disk.first_ms(), disk.alive_ms()), (Some(10), Some(40)));
    disk.write(&lines(50..51), None, 60).unwrap();
    assert_eq!(read(&disk, 18, 31), [18, 19, 30, 31]);
    assert_eq!(read(&disk, 0, 100).len(), 13);
    let budget =
        ScanBudget::new(Instant::now() + std::time::Duration::from_secs(60), CancellationToken::new());
    assert_eq!(disk.read(0, 100, &budget).unwrap().gaps, [gap]);
    assert_eq!(disk.alive_ms(), Some(40), "nobody said that it is settled yet");
}

#[test]
fn a_torn_tail_is_cut_off_and_what_follows_is_read() {
    let folder = Folder::new();
    folder.open(WIDE).write(&lines(0..5), Some(5), 5).unwrap();
    let whole = fs::read(&folder.files()[0]).unwrap();
    folder.open(WIDE).write(&lines(5..10), Some(10), 10).unwrap();
    // The second process began a file of its own; a crash tore it.
    let last = folder.files().pop().unwrap();
    let length = fs::metadata(&last).unwrap().len();
    OpenOptions::new().write(true).open(&last).unwrap().set_len(length - 3).unwrap();
    let disk = folder.open(WIDE);
    assert_eq!(read(&disk, 0, 100), [0, 1, 2, 3, 4]);
    disk.write(&lines(20..22), Some(22), 22).unwrap();
    assert_eq!(read(&disk, 0, 100), [0, 1, 2, 3, 4, 20, 21]);
    drop(disk);
    // Torn behind a whole frame, and garbage where a frame should be.
    let first = folder.files()[0].clone();
    fs::write(&first, [whole.as_slice(), &whole[..whole.len() / 2]].concat()).unwrap();
    assert_eq!(read(&folder.open(WIDE), 0, 10), [0, 1, 2, 3, 4]);
    fs::write(&first, b"KPH1 and nothing that was ever written").unwrap();
    assert_eq!(read(&folder.open(WIDE), 0, 100), [20, 21]);
}

#[test]
fn the_oldest_files_go_when_there_is_too_much_or_when_they_are_too_old() {
    let folder = Folder::new();
    let day_ms = 24 * 3_600_000;
    let disk = folder.open(Bounds { bytes: 1_000, age_ms: 7 * day_ms });
    for day in 0..20 {
        let at = day * day_ms;
        disk.write(&lines(at..at + 3), Some(at + 3), at + 3).unwrap();
    }
    assert!(disk.bytes() <= 1_000, "{}", disk.bytes());
    let kept = read(&disk, 0, i64::MAX);
    assert_eq!(kept.last(), Some(&(19 * day_ms + 2)), "the newest stay");
    assert!(kept.len() < 60 && disk.dropped_segments() > 0);
    // Nothing happens for long.
    disk.write(&[], Some(60 * day_ms), 60 * day_ms).unwrap();
    assert_eq!((read(&disk, 0, i64::MAX).len(), folder.files().len()), (0, 0));
    disk.write(&lines(5..6), Some(6), 6).unwrap();
    assert_eq!(read(&disk, 0, 10), [5]);
}
