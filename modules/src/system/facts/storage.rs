//! Mounted file systems and disks.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::set;
use super::sources::Sources;

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    set(facts, "mounts", mounts(sources));
    set(facts, "devices", devices(sources));
}

/// Size, used and free of each mount point, in the units of one `df`.
fn amounts(df: &str) -> HashMap<&str, [u64; 3]> {
    let mut all = HashMap::new();
    for line in df.lines() {
        let mut words = line.split_whitespace().skip(1);
        let mut number = || words.next()?.parse().ok();
        if let (Some(size), Some(used), Some(free)) = (number(), number(), number())
            && let Some(mount) = words.nth(1)
        {
            all.entry(mount).or_insert([size, used, free]);
        }
    }
    all
}

/// File systems on devices of the node, and those of the network (without their sizes: asking could
/// hang).
fn mounts(sources: &Sources) -> Vec<Value> {
    let (space, inodes) = (sources.said("space"), sources.said("inodes"));
    let (space, inodes) = (amounts(&space), amounts(&inodes));
    let table = sources.file("/proc/mounts");
    let mut mounts: Vec<Value> = Vec::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [device, mount, kind, options, ..] = fields[..] else {
            continue;
        };
        if !(device.starts_with('/') || device.contains(":/")) {
            continue;
        }
        let mut facts = json!({
            "device": device, "mount": unescaped(mount), "fstype": kind, "options": options,
        });
        if let Some([total, _, free]) = space.get(mount).copied() {
            facts["size_total"] = total.saturating_mul(1024).into();
            facts["size_available"] = free.saturating_mul(1024).into();
            facts["block_size"] = 1024.into();
            facts["block_total"] = total.into();
            facts["block_available"] = free.into();
            facts["block_used"] = total.saturating_sub(free).into();
        }
        if let Some([total, used, free]) = inodes.get(mount).copied() {
            facts["inode_total"] = total.into();
            facts["inode_used"] = used.into();
            facts["inode_available"] = free.into();
        }
        mounts.push(facts);
    }
    mounts
}

/// A path of `/proc/mounts`, where a space is `\040`.
fn unescaped(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

/// Disks and their partitions. Sizes in sysfs are in sectors of 512 bytes.
fn devices(sources: &Sources) -> Map<String, Value> {
    let mut devices: Map<String, Value> = Map::new();
    for (path, text) in sources.under("/sys/block/") {
        let parts: Vec<&str> = path.split('/').collect();
        let device = devices
            .entry(parts[0])
            .or_insert_with(|| json!({"partitions": {}, "model": null, "vendor": null}));
        match parts[1..] {
            ["size"] => {
                let sectors = text.parse::<u64>().unwrap_or_default();
                device["sectors"] = sectors.into();
                device["sectorsize"] = 512.into();
                device["size"] = size(sectors).into();
            }
            ["removable"] => device["removable"] = text.into(),
            ["ro"] => device["ro"] = text.into(),
            ["queue", "rotational"] => device["rotational"] = text.into(),
            ["device", what @ ("model" | "vendor")] => device[what] = text.into(),
            [partition, "size"] => {
                let sectors = text.parse::<u64>().unwrap_or_default();
                device["partitions"][partition] = json!({
                    "sectors": sectors, "sectorsize": 512, "size": size(sectors),
                });
            }
            _ => {}
        }
    }
    devices
}

/// As Ansible writes sizes: two decimals in the largest unit that is at least one.
fn size(sectors: u64) -> String {
    const UNITS: [(&str, u128); 4] = [
        ("TB", 1 << 40),
        ("GB", 1 << 30),
        ("MB", 1 << 20),
        ("KB", 1 << 10),
    ];
    let bytes = u128::from(sectors) * 512;
    let unit = UNITS.iter().find(|(_, factor)| bytes >= *factor);
    unit.map_or_else(
        || format!("{bytes}.00 Bytes"),
        |(name, factor)| {
            let hundredths = (bytes * 100 + factor / 2) / factor;
            format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::sources::tests::sources;

    #[test]
    fn mounts_have_sizes_and_disks_have_partitions() {
        let sources = sources(
            &[
                (
                    "/proc/mounts",
                    "/dev/vda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\nnas:/data /srv/a\\040b nfs4 rw 0 0\n",
                ),
                ("/sys/block/vda/size", "41943040"),
                ("/sys/block/vda/ro", "0"),
                ("/sys/block/vda/queue/rotational", "1"),
                ("/sys/block/vda/device/vendor", "0x1af4"),
                ("/sys/block/vda/vda1/partition", "1"),
                ("/sys/block/vda/vda1/size", "2048"),
            ],
            &[
                (
                    "space",
                    "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 100 60 40 60% /\n",
                ),
                (
                    "inodes",
                    "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda1 10 4 6 40% /\n",
                ),
            ],
        );
        let mut facts = Map::new();
        super::facts(&sources, &mut facts);
        let facts = Value::Object(facts);
        let mounts = facts["ansible_mounts"].as_array().unwrap();
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0]["size_available"], 40 * 1024);
        assert_eq!(mounts[0]["inode_used"], 4);
        assert_eq!(mounts[1]["mount"], "/srv/a b");
        assert_eq!(mounts[1].get("size_total"), None);
        assert_eq!(
            facts["ansible_devices"],
            json!({"vda": {
                "partitions": {"vda1": {"sectors": 2048, "sectorsize": 512, "size": "1.00 MB"}},
                "model": null, "vendor": "0x1af4", "rotational": "1", "ro": "0",
                "sectors": 41_943_040, "sectorsize": 512, "size": "20.00 GB",
            }})
        );
    }

    #[test]
    fn sizes_past_64_bits_are_no_crash() {
        let most = u64::MAX.to_string();
        let df = format!("Filesystem\n/dev/vda1 {most} {most} {most} 1% /\n");
        let sources = sources(
            &[
                ("/proc/mounts", "/dev/vda1 / ext4 rw 0 0\n"),
                ("/sys/block/vda/size", &most),
                ("/sys/block/vda/vda1/size", &most),
            ],
            &[("space", &df), ("inodes", &df)],
        );
        let mut facts = Map::new();
        super::facts(&sources, &mut facts);
        assert_eq!(facts["ansible_mounts"][0]["size_total"], u64::MAX);
        assert_eq!(facts["ansible_devices"]["vda"]["sectors"], u64::MAX);
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[test]
    fn a_node_with_many_mounts_has_them_at_once() {
        let (mut table, mut space) = (String::new(), String::new());
        for number in 0..20_000 {
            table.push_str(&format!("/dev/a /m{number} ext4 rw 0 0\n"));
            space.push_str(&format!("/dev/a {number} 0 0 0% /m{number}\n"));
        }
        let sources = sources(
            &[("/proc/mounts", &table)],
            &[("space", &space), ("inodes", &space)],
        );
        let mounts = super::mounts(&sources);
        assert_eq!(mounts.len(), 20_000);
        assert_eq!(mounts[19_999]["block_total"], 19_999);
    }
}
