//! Processors, memory, firmware, and how long the node has been up.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::set;
use super::sources::{Sources, value};

/// Files of `/sys/class/dmi/id/` and the facts that they are.
const FIRMWARE: &[(&str, &str)] = &[
    ("sys_vendor", "system_vendor"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("board_name", "board_name"),
    ("board_vendor", "board_vendor"),
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_asset_tag", "chassis_asset_tag"),
];

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    processors(&sources.said("cpu"), facts);
    memory(sources.file("/proc/meminfo"), facts);
    for (file, name) in FIRMWARE {
        let text = sources.line(&format!("/sys/class/dmi/id/{file}"));
        set(facts, name, text.unwrap_or("NA"));
    }
    let seconds = sources
        .line("/proc/uptime")
        .and_then(|line| line.split(['.', ' ']).next()?.parse::<u64>().ok());
    if let Some(seconds) = seconds {
        set(facts, "uptime_seconds", seconds);
    }
    if let Some(line) = sources.line("/proc/loadavg") {
        let mut loads = line
            .split_whitespace()
            .map_while(|word| word.parse::<f64>().ok());
        let mut load = || loads.next().unwrap_or_default();
        set(
            facts,
            "loadavg",
            json!({"1m": load(), "5m": load(), "15m": load()}),
        );
    }
}

fn processors(text: &str, facts: &mut Map<String, Value>) {
    let mut list: Vec<Value> = Vec::new();
    let (mut threads, mut cores, mut siblings) = (0_u64, 1_u64, 1_u64);
    let mut sockets = BTreeSet::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim() {
            "processor" => {
                threads += 1;
                list.push(value.into());
            }
            "vendor_id" | "model name" | "cpu model" | "Processor" | "CPU implementer" => {
                list.push(value.into());
            }
            "physical id" => {
                sockets.insert(value.to_owned());
            }
            "cpu cores" => cores = value.parse().unwrap_or(1),
            "siblings" => siblings = value.parse().unwrap_or(1),
            _ => {}
        }
    }
    // A processor that names no socket (ARM, many virtual ones) counts as one each, as in Ansible.
    let sockets = match sockets.len() as u64 {
        0 => threads.max(1),
        some => some,
    };
    let per_core = (siblings / cores.max(1)).max(1);
    set(facts, "processor", list);
    set(facts, "processor_count", sockets);
    set(facts, "processor_cores", cores);
    set(facts, "processor_threads_per_core", per_core);
    set(
        facts,
        "processor_vcpus",
        threads.max(sockets.saturating_mul(cores).saturating_mul(per_core)),
    );
    set(facts, "processor_nproc", threads.max(1));
}

fn memory(text: &str, facts: &mut Map<String, Value>) {
    let megabytes = |key: &str| {
        let kilobytes = value(text, key, ':').and_then(|value| value.split(' ').next());
        kilobytes
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or_default()
            / 1024
    };
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let (swap_total, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    let cache = megabytes("Cached") + megabytes("Buffers");
    set(facts, "memtotal_mb", total);
    set(facts, "memfree_mb", free);
    set(facts, "swaptotal_mb", swap_total);
    set(facts, "swapfree_mb", swap_free);
    let memory = json!({
        "real": {"total": total, "free": free, "used": total.saturating_sub(free)},
        "nocache": {
            "free": free + cache,
            "used": total.saturating_sub(free + cache),
        },
        "swap": {
            "total": swap_total,
            "free": swap_free,
            "used": swap_total.saturating_sub(swap_free),
            "cached": megabytes("SwapCached"),
        },
    });
    set(facts, "memory_mb", memory);
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::sources::tests::sources;

    fn facts(files: &[(&str, &str)], records: &[(&str, &str)]) -> Value {
        let mut facts = Map::new();
        super::facts(&sources(files, records), &mut facts);
        Value::Object(facts)
    }

    #[test]
    fn two_sockets_of_two_cores_with_two_threads_each() {
        let mut cpu = String::new();
        for thread in 0..8 {
            let socket = thread / 4;
            cpu.push_str(&format!("processor\t: {thread}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: {socket}\nsiblings\t: 4\ncpu cores\t: 2\n"));
        }
        let facts = facts(&[], &[("cpu", &cpu)]);
        assert_eq!(facts["ansible_processor_count"], 2);
        assert_eq!(facts["ansible_processor_cores"], 2);
        assert_eq!(facts["ansible_processor_threads_per_core"], 2);
        assert_eq!(facts["ansible_processor_vcpus"], 8);
        assert_eq!(
            facts["ansible_processor"].as_array().unwrap()[..3],
            [json!("0"), json!("GenuineIntel"), json!("Xeon")]
        );
    }

    #[test]
    fn processors_without_sockets_count_one_each() {
        let facts = facts(
            &[],
            &[(
                "cpu",
                "processor\t: 0\nCPU implementer\t: 0x41\nprocessor\t: 1\nCPU implementer\t: 0x41",
            )],
        );
        assert_eq!(facts["ansible_processor_count"], 2);
        assert_eq!(facts["ansible_processor_vcpus"], 2);
    }

    #[test]
    fn memory_firmware_and_uptime() {
        let facts = facts(
            &[
                (
                    "/proc/meminfo",
                    "MemTotal:       24684092 kB\nMemFree:        13681156 kB\nBuffers:           30956 kB\nCached:          7063616 kB\nSwapCached:            0 kB\nSwapTotal:       2097148 kB\nSwapFree:        2097148 kB\n",
                ),
                ("/proc/uptime", "3478.83 3828.45\n"),
                ("/proc/loadavg", "1.50 0.25 0.10 2/1356 2061\n"),
                ("/sys/class/dmi/id/product_name", "KVM\n"),
            ],
            &[],
        );
        assert_eq!(facts["ansible_memtotal_mb"], 24105);
        assert_eq!(facts["ansible_swaptotal_mb"], 2047);
        assert_eq!(facts["ansible_memory_mb"]["real"]["used"], 24105 - 13360);
        assert_eq!(facts["ansible_uptime_seconds"], 3478);
        assert_eq!(facts["ansible_loadavg"]["1m"], 1.5);
        assert_eq!(facts["ansible_product_name"], "KVM");
        assert_eq!(facts["ansible_product_uuid"], "NA");
    }

    #[test]
    fn numbers_past_64_bits_are_no_crash() {
        let most = u64::MAX;
        let cpu = format!(
            "processor : 0\nphysical id : 0\nprocessor : 1\nphysical id : 1\nsiblings : {most}\ncpu cores : {most}\n"
        );
        let memory = ["MemTotal", "MemFree", "Cached", "Buffers", "SwapFree"]
            .map(|key| format!("{key}: {most} kB\n"))
            .concat();
        let facts = facts(&[("/proc/meminfo", &memory)], &[("cpu", &cpu)]);
        assert_eq!(facts["ansible_processor_vcpus"], most);
        assert_eq!(facts["ansible_memory_mb"]["nocache"]["used"], 0);
    }
}
