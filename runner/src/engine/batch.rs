//! The hosts of a play, in order and in batches.

use rand::seq::SliceRandom;

use crate::playbook::{Order, Serial};

/// `hosts` (in the inventory's order) as `order` has them.
pub(crate) fn ordered(mut hosts: Vec<String>, order: Order) -> Vec<String> {
    match order {
        Order::Inventory => {}
        Order::ReverseInventory => hosts.reverse(),
        Order::Sorted => hosts.sort(),
        Order::ReverseSorted => {
            hosts.sort();
            hosts.reverse();
        }
        Order::Shuffle => hosts.shuffle(&mut rand::rng()),
    }
    hosts
}

/// `hosts` in batches of the sizes in `serial`; the last size serves for all that are left. A
/// percentage is of all hosts of the play, rounded down, and at least one host.
pub(crate) fn batches(hosts: &[String], serial: &[Serial]) -> Vec<Vec<String>> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let Some(last) = serial.last() else {
        return vec![hosts.to_vec()];
    };
    let mut sizes = serial.iter().chain(std::iter::repeat(last));
    let mut rest = hosts;
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let size = size(*sizes.next().unwrap_or(last), hosts.len()).min(rest.len());
        let (batch, others) = rest.split_at(size);
        batches.push(batch.to_vec());
        rest = others;
    }
    batches
}

fn size(serial: Serial, hosts: usize) -> usize {
    match serial {
        // Zero means all at once, as in Ansible.
        Serial::Count(0) => hosts,
        Serial::Count(count) => count,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a number of hosts, clamped to that number"
        )]
        Serial::Percent(percent) => {
            ((hosts as f64 * percent / 100.0).clamp(1.0, hosts as f64)) as usize
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: usize, serial: &[Serial]) -> Vec<usize> {
        let hosts: Vec<String> = (0..count).map(|n| format!("h{n}")).collect();
        batches(&hosts, serial).iter().map(Vec::len).collect()
    }

    #[test]
    fn the_last_size_serves_for_the_rest() {
        let serial = [Serial::Count(1), Serial::Percent(20.0), Serial::Count(4)];
        assert_eq!(sizes(12, &serial), [1, 2, 4, 4, 1]);
    }

    #[test]
    fn without_serial_there_is_one_batch_and_without_hosts_none() {
        assert_eq!(sizes(5, &[]), [5]);
        assert_eq!(sizes(5, &[Serial::Count(0)]), [5]);
        assert!(sizes(0, &[Serial::Count(2)]).is_empty());
    }

    #[test]
    fn a_small_share_is_one_host_and_a_large_one_is_all() {
        assert_eq!(sizes(3, &[Serial::Percent(1.0)]), [1, 1, 1]);
        assert_eq!(sizes(3, &[Serial::Percent(500.0)]), [3]);
    }

    #[test]
    fn hosts_come_in_the_order_asked_for() {
        let hosts = || vec!["b".to_owned(), "c".to_owned(), "a".to_owned()];
        assert_eq!(ordered(hosts(), Order::Inventory), ["b", "c", "a"]);
        assert_eq!(ordered(hosts(), Order::ReverseInventory), ["a", "c", "b"]);
        assert_eq!(ordered(hosts(), Order::Sorted), ["a", "b", "c"]);
        assert_eq!(ordered(hosts(), Order::ReverseSorted), ["c", "b", "a"]);
    }
}
