//! Slots are used again.
use super::*;
use crate::tokio::{
    self,
    sync::{Mutex, mpsc},
};

#[test]
fn what_ends_gives_its_slot_back() {
    struct Mine;
    run(async {
        let mut site = None;
        let (mut slots, mut n) = (std::collections::HashSet::new(), 0);
        while n < 100_000 {
            let handle = tokio::spawn(async {
                let lock = Mutex::new(());
                let _guard = lock.lock().await;
                let (tx, mut rx) = mpsc::channel(1);
                tx.send(()).await.unwrap();
                rx.recv().await.unwrap();
                Mine
            });
            if n % 1000 == 0 {
                let id = peek::task_id(handle.id());
                let (index, slot) = recorder().tasks.all().find(|(_, slot)| slot.id() == id).unwrap();
                site = slot.read().map(|task| task.site);
                slots.insert(index);
            }
            handle.await.unwrap();
            n += 1;
        }
        let site = site.unwrap();
        assert_eq!(counts(site, [Total::Spawned, Total::Finished, Total::Shed]), [100_000, 100_000, 0]);
        assert!(site.total(Total::FinishedPolls) >= 100_000);
        // Other tests of this process may take and give back slots meanwhile.
        assert!(slots.len() <= 64, "{} of 100 looks found another slot", slots.len());
        let left = recorder().tasks.all().filter_map(|(_, slot)| slot.read()).filter(|t| std::ptr::eq(t.site, site));
        assert_eq!(left.count(), 0);
    });
}
