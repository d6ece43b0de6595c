//! Where the network's manifests come from, by `playbooks/tasks/validate.yml` and `cni-sources.yml`: fetched from
//! a server of the test's own on loopback, rendered by a stand-in for helm, refused where they do not suit.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end there"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use windlass_tests::program::{Place, Printed, root};

const FLANNEL: &str = "kind: ConfigMap\ndata:\n  net-conf.json: |\n    {\n      \"Network\": \"10.244.0.0/16\"\n    }\n";
const FLANNEL_SUM: &str = "sha256:5934e0f02a07a1e3176f813ce7c2152fea3167c61d9e8cdb66ae528fa7e1e272";
const CHART: &str = "not really a chart\n";
const CHART_SUM: &str = "sha256:ad0f2a6bc8da4b13079d43f9d19a3fae9c084f880d71380c10f2c180fb3b528d";

/// A server of both, at `/flannel.yml` and `/net-1.2.3.tgz`, that counts what it is asked.
fn server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head: Vec<String> = BufReader::new(&stream)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let body = if head[0].contains("/flannel.yml") {
                FLANNEL
            } else {
                CHART
            };
            counted.fetch_add(1, Ordering::SeqCst);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    (address, count)
}

/// A control host with an inventory of one control plane, which is this machine.
fn control_host() -> Place {
    let place = Place::new();
    place.write(
        "hosts.yml",
        "all:\n  children:\n    control_plane:\n      hosts:\n        cp1:\n          ansible_connection: local\n          control_plane_endpoint: 192.0.2.1:6443\n          kubernetes_version: v1.31.4\n          node_state: {version: v1.31.4, state: absent, node_name: first}\n",
    );
    let shipped = root().join("playbooks");
    let shipped = shipped.display();
    place.write(
        "site.yml",
        &format!(
            "- hosts: control_plane\n  gather_facts: false\n  vars_files: [{shipped}/vars/cluster.yml]\n  tasks:\n    - import_tasks: {shipped}/tasks/validate.yml\n    - import_tasks: {shipped}/tasks/cni-sources.yml\n    - debug:\n        msg: \"at {{{{ cluster_cni_file }}}}\"\n      loop: \"{{{{ cluster_cni_manifests }}}}\"\n      loop_control: {{loop_var: cni_source}}\n"
        ),
    );
    place
}

/// Runs it with these variables, in YAML.
fn look(place: &Place, variables: &str, more: &[&str]) -> Printed {
    place.write("vars.yml", variables);
    let mut words = vec!["run", "site.yml", "-i", "hosts.yml", "-e", "@vars.yml"];
    words.extend(more);
    place.run(&words)
}

#[track_caller]
fn well(printed: &Printed) {
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert!(printed.out.contains("changed=0 "), "{}", printed.text());
}

/// Refused with these words, in the play that changes nothing.
#[track_caller]
fn refused(printed: &Printed, words: &str) {
    assert_eq!(printed.status, 2, "{}", printed.text());
    assert!(printed.out.contains("changed=0 "), "{}", printed.text());
    says(&printed.out, words, printed);
}

/// Refused with these words before anything is connected to.
#[track_caller]
fn foreseen(printed: &Printed, words: &str) {
    assert_eq!(printed.status, 4, "{}", printed.text());
    assert_eq!(printed.out, "");
    says(&printed.err, words, printed);
}

#[track_caller]
fn says(text: &str, words: &str, printed: &Printed) {
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(words), "{}", printed.text());
}

/// The file of the cache that ends with `name`.
fn cached(place: &Place, name: &str) -> String {
    let cache = place.path().join(".cache/windlass");
    let file = std::fs::read_dir(&cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(name));
    std::fs::read_to_string(file.unwrap()).unwrap()
}

#[test]
fn a_manifest_is_fetched_once_and_only_with_its_checksum() {
    let (address, count) = server();
    let place = control_host();
    let right =
        format!("cni_manifests: [{{url: {address}/flannel.yml, checksum: \"{FLANNEL_SUM}\"}}]\n");
    // Also in check mode, which could not tell otherwise what would be applied.
    well(&look(&place, &right, &["--check"]));
    assert_eq!(cached(&place, "-flannel.yml"), FLANNEL);
    let again = look(&place, &right, &["-v"]);
    well(&again);
    assert!(
        again.out.contains("at DIR/.cache/windlass/"),
        "{}",
        again.text()
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);

    let other = right.replace(FLANNEL_SUM, &format!("sha256:{}", "0".repeat(64)));
    refused(&look(&place, &other, &[]), "has the sha256 checksum");

    let none = format!("cni_manifests: [{{url: {address}/flannel.yml}}]\n");
    foreseen(
        &look(&place, &none, &[]),
        &format!("curl -fsSL {address}/flannel.yml | sha256sum"),
    );
    let typo = right.replace("checksum: ", "checksums: x, checksum: ");
    foreseen(&look(&place, &typo, &[]), "This one is {");
}

#[test]
fn addresses_that_are_not_those_of_pod_subnet_are_found_before_anything_is_changed() {
    let (address, _) = server();
    let place = control_host();
    let flannel = format!(
        "pod_subnet: 10.9.0.0/16\ncni_manifests: [{{url: {address}/flannel.yml, checksum: \"{FLANNEL_SUM}\"}}]\n"
    );
    refused(
        &look(&place, &flannel, &[]),
        "gives pods addresses of 10.244.0.0/16, but pod_subnet is 10.9.0.0/16",
    );
    place.write("mine.yaml.j2", "kind: ConfigMap\ndata:\n  net-conf.json: |\n    {\"Network\": \"{{ cluster_pod_subnet }}\"}\n");
    well(&look(
        &place,
        "pod_subnet: 10.9.0.0/16\ncni_manifests: [mine.yaml.j2]\n",
        &[],
    ));
    let calico = |comment: &str| {
        format!(
            "kind: DaemonSet\nenv:\n            {comment}- name: CALICO_IPV4POOL_CIDR\n            {comment}  value: \"192.168.0.0/16\"\n"
        )
    };
    place.write("calico.yaml", &calico("# "));
    well(&look(&place, "cni_manifests: [calico.yaml]\n", &[]));
    place.write("calico.yaml", &calico(""));
    refused(
        &look(&place, "cni_manifests: [calico.yaml]\n", &[]),
        "gives pods addresses of 192.168.0.0/16",
    );
    foreseen(
        &look(&place, "cni_manifests: [gone.yaml]\n", &[]),
        "cni_manifests names gone.yaml",
    );
    refused(
        &look(
            &place,
            "cni_manifests: [mine.yaml.j2]\ncni_plugins: [no-such-plugin]\ncni_bin_dir: /tmp\n",
            &[],
        ),
        "cp1 has no no-such-plugin in /tmp",
    );
}

#[test]
fn a_chart_is_rendered_by_helm_on_the_control_host() {
    let (address, count) = server();
    let place = control_host();
    let chart = format!(
        "cni_manifests:\n  - url: {address}/net-1.2.3.tgz\n    checksum: {CHART_SUM}\n    helm: {{release: net, namespace: net-system, values: {{cidr: \"{{{{ cluster_pod_subnet }}}}\"}}}}\n"
    );
    let helm = |version: &str| {
        place.program(
            "bin/helm",
            &format!("case $1 in\nversion) echo {version} ;;\ntemplate) echo run >>\"$HOME/renderings\"; echo \"# $*\"; cat ;;\nesac"),
        );
    };
    let run = || {
        place.write("vars.yml", &chart);
        let path = format!("{}/bin:/usr/bin:/bin", place.path().display());
        let mut command = place.command();
        command.env("PATH", path);
        command.args(["run", "site.yml", "-i", "hosts.yml", "-e", "@vars.yml"]);
        place.printed(&mut command)
    };
    refused(&run(), "has no helm to render it with");
    helm("Client: v2.17.0");
    refused(&run(), "has no helm to render it with");
    helm("v3.16.4+g7877b45");
    well(&run());
    well(&run());
    let rendered = cached(&place, "-net.yaml");
    let cache = place.path().join(".cache/windlass");
    let cache = cache.display();
    assert!(
        rendered.starts_with(&format!("# template net {cache}/")),
        "{rendered}"
    );
    assert!(
        rendered.contains(
            "-net-1.2.3.tgz --namespace=net-system --kube-version=v1.31.4 --include-crds --values=-"
        ),
        "{rendered}"
    );
    assert!(
        rendered.contains(r#""cidr": "10.244.0.0/16""#),
        "{rendered}"
    );
    let renderings = std::fs::read_to_string(place.path().join("renderings")).unwrap();
    assert_eq!(renderings.lines().count(), 1, "rendered once");
    assert_eq!(count.load(Ordering::SeqCst), 1, "fetched once");
}

/// The shipped networks: pinned, and with a checksum each.
#[test]
fn the_shipped_networks_are_pinned() {
    for name in ["calico", "flannel", "cilium"] {
        let file = root().join(format!("playbooks/cni/{name}.yml"));
        let place = control_host();
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains("checksum: sha256:"), "{name}");
        // Nothing is fetched: a proxy that is not there is in the way.
        place.write("vars.yml", &text);
        let mut command = place.command();
        command.env("https_proxy", "http://127.0.0.1:1");
        command.args(["run", "site.yml", "-i", "hosts.yml", "-e", "@vars.yml"]);
        let printed = place.printed(&mut command);
        refused(&printed, "cannot download https://");
        assert!(printed.out.contains("127.0.0.1"), "{}", printed.text());
    }
}
