//! Machines without a container runtime and without Kubernetes get both: with Debian's apt, and with dnf, from signed
//! repositories of the test's own, as single files, from a bundle. Each in a copy of a small system that
//! `tests/install/setup.sh` makes, where the program runs as root on connection=local; what is installed only says its version.
#![cfg(feature = "fleet")]

mod machine;

use machine::Machine;

const APT: [&str; 3] = [
    "kubernetes_version: '1.36'",
    "kubernetes_repository: {apt: 'file:/srv/kubernetes/v{minor}/deb', key: /srv/key.asc, fingerprint: 'FINGERPRINT'}",
    "containerd_repository: {apt: 'file:/srv/docker/deb', key: /srv/key.gpg}",
];

#[test]
fn packages_of_apt_come_from_a_signed_repository_and_are_held_and_upgraded() {
    let machine = Machine::new(&APT);
    let ran = machine.run("install", "-C");
    assert_eq!(ran.status, 0, "{}", ran.text);
    assert!(
        ran.text.contains("means v1.36.10 here"),
        "the newest, and not the last in the alphabet\n{}",
        ran.text
    );
    assert!(ran.text.contains("Check mode ends here"), "{}", ran.text);
    machine.has_nothing();

    machine.installs();
    machine.has("1.36.10");
    let held = "kubeadm kubectl kubelet";
    assert_eq!(machine.shell("apt-mark showhold").text, held);
    let list = "etc/apt/sources.list.d/kubernetes.list";
    let line = "deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.asc] file:/srv/kubernetes/v1.36/deb /\n";
    assert!(machine.read(list).ends_with(line), "{}", machine.read(list));
    // The package brought one with CRI switched off.
    let config = machine.read("etc/containerd/config.toml");
    for line in [
        "\nversion = 3\n",
        "\nsandbox = \"registry.k8s.io/pause:3.10.1\"\n",
        "\nSystemdCgroup = true\n",
        "\nconfig_path = \"/etc/containerd/certs.d\"\n",
        "\nbin_dirs = [\"/opt/cni/bin\"]\n",
    ] {
        assert!(config.contains(line), "{line}\n{config}");
    }
    let told = machine.read("var/log/systemctl");
    assert!(
        told.contains("enable --quiet containerd\n") && told.contains("restart containerd\n"),
        "{told}"
    );

    // The hold is true: apt itself would stay.
    let upgrade = "-e kubernetes_version=v1.37.2";
    for changes in [true, false] {
        let ran = machine.run("upgrade", upgrade);
        assert_eq!(ran.status, 0, "{}", ran.text);
        assert_ne!(
            ran.text.contains("nothing changed"),
            changes,
            "{}",
            ran.text
        );
    }
    machine.has("1.37.2");
    assert_eq!(machine.shell("apt-mark showhold").text, held);
    assert!(machine.read(list).contains("/v1.37/deb /"));
}

#[test]
fn a_key_or_a_signature_of_another_and_a_version_that_is_not_there_are_refused() {
    let fingerprint = "fingerprint: 'FINGERPRINT'";
    for (from, to, words) in [
        (
            "key: /srv/key.asc",
            "key: /srv/other.asc",
            &["has the fingerprint", "is expected", "kubernetes"][..],
        ),
        (
            "key: /srv/key.asc",
            "key: /srv/none.asc",
            &["kubernetes_repository names the key /srv/none.asc"],
        ),
        // Nothing to compare with: then it is apt that knows the signature.
        (
            fingerprint,
            "fingerprint: ''",
            &["apt-get update", "NO_PUBKEY"],
        ),
    ] {
        let mut repository = APT[1].replace(from, to);
        if from == fingerprint {
            repository = repository.replace("/srv/key.asc", "/srv/other.asc");
        }
        let machine = Machine::new(&[APT[0], &repository, APT[2]]);
        machine.refuses(words);
        machine.has_nothing();
    }
    let machine = Machine::new(&["kubernetes_version: v1.36.9", APT[1], APT[2]]);
    machine.refuses(&["offer no kubeadm 1.36.9; they have 1.36.10-1.1 1.36.2-1.1 1.36.0-1.1"]);
    assert!(!machine.at("usr/bin/kubeadm").exists());
}

#[test]
fn what_is_there_is_left_as_it_is() {
    let machine = Machine::new(&[
        "kubernetes_repository: {apt: 'file:/srv/kubernetes/v{minor}/deb', key: /srv/key.asc}",
        "cri_socket: unix:///run/own.sock",
    ]);
    let install = "dpkg -i /srv/kubernetes/v1.36/deb/kube*_1.36.2-* /srv/kubernetes/v1.36/deb/kubernetes-cni* \
                   && perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => \"/run/own.sock\", Listen => 1)'";
    let ran = machine.shell(install);
    assert_eq!(ran.status, 0, "{}", ran.text);
    machine.stays();
    assert_eq!(machine.shell("apt-mark showhold").text, "");
    for path in [
        "etc/containerd",
        "etc/apt/keyrings/kubernetes-apt-keyring.asc",
        "etc/apt/sources.list.d/kubernetes.list",
    ] {
        assert!(!machine.at(path).exists(), "{path}");
    }
    // One program that is lacking, and only that: in the version that is there.
    assert_eq!(machine.shell("dpkg -r kubectl").status, 0);
    machine.run("install", "");
    assert_eq!(
        machine
            .shell("kubectl; kubeadm version; apt-mark showhold")
            .text,
        "{\"clientVersion\": {\"gitVersion\": \"v1.36.2\"}} v1.36.2 kubectl"
    );
    // What does not fit is replaced where that is asked for.
    let machine = machine.set(&[
        "kubernetes_version: v1.37.2",
        "kubernetes_install: packages",
        APT[1],
        "container_runtime_install: none",
    ]);
    let ran = machine.run("install", "");
    assert_eq!(ran.status, 0, "{}", ran.text);
    assert!(machine.shell("kubeadm version").text.contains("v1.37.2"));
}

#[test]
fn packages_of_dnf_come_from_a_signed_repository_and_are_held_and_upgraded() {
    let repositories = [
        "kubernetes_version: '1.36'",
        "kubernetes_repository: {dnf: 'file:///srv/kubernetes/v{minor}/rpm', key: /srv/key.asc}",
        "containerd_repository: {dnf: 'file:///srv/docker/rpm', key: /srv/key.asc}",
    ];
    let machine = Machine::new(&repositories).without_apt();
    machine.installs();
    machine.has("1.36.10");
    let repo = machine.read("etc/yum.repos.d/kubernetes.repo");
    for line in [
        "gpgcheck=1",
        "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-kubernetes",
        "exclude=kubeadm kubelet kubectl cri-tools kubernetes-cni",
    ] {
        assert!(repo.contains(line), "{repo}");
    }
    let ran = machine.run("upgrade", "-e kubernetes_version=v1.37.2");
    assert_eq!(ran.status, 0, "{}", ran.text);
    machine.has("1.37.2");
    assert!(
        machine
            .read("etc/yum.repos.d/kubernetes.repo")
            .contains("/v1.37/rpm\n")
    );
    // Held: 1.37.10 is there, and dnf does not see it.
    let ran = machine.shell("dnf -q check-update");
    assert!(!ran.text.contains("1.37.10"), "{}", ran.text);

    let other = repositories.map(|line| {
        line.replace(
            "v{minor}/rpm', key: /srv/key.asc",
            "v{minor}/rpm', key: /srv/other.asc",
        )
    });
    let machine = Machine::new(&other.each_ref().map(String::as_str)).without_apt();
    machine.refuses(&["Install kubeadm=1.36.10", "GPG"]);
    assert!(!machine.at("usr/bin/kubeadm").exists());
}

#[test]
fn a_distributions_containerd_is_taken_where_it_is_new_enough() {
    let machine = Machine::new(&["kubernetes_version: v1.35.2", APT[1], APT[2]]);
    machine.installs();
    let said = machine.shell("containerd; kubelet");
    assert_eq!(
        said.text,
        "containerd github.com/containerd/containerd/v2 v1.7.24~ds1 abcdef Kubernetes v1.35.2"
    );
    assert!(!machine.at("etc/apt/sources.list.d/docker.list").exists());
    let config = machine.read("etc/containerd/config.toml");
    for line in [
        "\nversion = 2\n",
        "\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"registry.k8s.io/pause:3.10.1\"\n",
        "\nbin_dir = \"/opt/cni/bin\"\n",
        "\nSystemdCgroup = true\n",
    ] {
        assert!(config.contains(line), "{line}\n{config}");
    }
    // Too old for the next minor version: another takes its place, on a node that is in no cluster.
    let machine = machine.set(&[
        "kubernetes_version: v1.36.2",
        "kubernetes_install: packages",
        "container_runtime_install: packages",
        APT[1],
        APT[2],
    ]);
    machine.installs();
    machine.has("1.36.2");
    assert!(
        machine
            .read("etc/containerd/config.toml")
            .contains("\nversion = 3\n")
    );
}

#[test]
fn a_list_of_upstreams_that_another_wrote_is_switched_to_the_minor_version() {
    let machine = Machine::new(&["kubernetes_version: v1.37.2"]);
    let list = "etc/apt/sources.list.d/kubernetes.list";
    let line = "deb [signed-by=/srv/key.asc] file:/srv/core:/stable:/v1.36/deb /\n";
    std::fs::write(machine.at(list), line).unwrap();
    let install = "mkdir -p /srv/core: && ln -s /srv/kubernetes /srv/core:/stable: && apt-get update && apt-get install -y \
                   kubeadm=1.36.2-1.1 kubelet=1.36.2-1.1 kubectl=1.36.2-1.1 && apt-mark hold kubeadm kubelet kubectl";
    let ran = machine.shell(install);
    assert_eq!(ran.status, 0, "{}", ran.text);
    // Not where the repositories are the user's own business.
    let ran = machine.run("upgrade", "-e kubernetes_install=none");
    assert_ne!(ran.status, 0, "{}", ran.text);
    assert_eq!(machine.read(list), line);
    let ran = machine.run("upgrade", "");
    assert_eq!(ran.status, 0, "{}", ran.text);
    assert_eq!(machine.read(list), line.replace("v1.36", "v1.37"));
    assert_eq!(machine.shell("kubelet").text, "Kubernetes v1.37.2");
    let held = machine.shell("apt-mark showhold").text;
    assert_eq!(held, "kubeadm kubectl kubelet");
}

fn binaries(machine: &Machine) -> Vec<String> {
    let arch = machine.shell("dpkg --print-architecture").text;
    let sum = |file: &str| {
        machine
            .shell(&format!("sha256sum /srv/release/{file}"))
            .text[..64]
            .to_owned()
    };
    let runc = sum(&format!("runc.{arch}"));
    let plugins = sum(&format!("cni-plugins-linux-{arch}-v1.10.0.tgz"));
    vec![
        "kubernetes_version: stable".to_owned(),
        "kubernetes_install: binaries".to_owned(),
        "container_runtime_install: binaries".to_owned(),
        "kubernetes_binaries_url: file:///srv/release".to_owned(),
        "containerd_archive: {url: 'file:///srv/release/containerd-2.2.9-linux-{arch}.tar.gz', checksum: 'sha256:file:///srv/release/containerd.sha256sum'}".to_owned(),
        format!("runc_binary: {{url: 'file:///srv/release/runc.{{arch}}', checksum: 'sha256:{runc}'}}"),
        format!("cni_plugins_archive: {{file: /srv/release/cni-plugins-linux-{arch}-v1.10.0.tgz, checksum: 'sha256:{plugins}'}}"),
        format!("crictl_archive: {{file: /srv/release/crictl-v1.37.0-linux-{arch}.tar.gz}}"),
        "registry_mirrors: {docker.io: [{url: 'http://one:5000', ca: /srv/key.asc}, 'http://two'], _default: 'http://any'}".to_owned(),
        "registry_credentials: {docker.io: {username: me, password: 'a\"b'}}".to_owned(),
        "kubelet_extra: {cgroupDriver: cgroupfs}".to_owned(),
    ]
}

#[test]
fn single_files_come_with_their_checksums_compared_and_are_upgraded() {
    let machine = Machine::new(&[]);
    let variables = binaries(&machine);
    let wrong: Vec<String> = variables
        .iter()
        .map(|line| match line.find("checksum: 'sha256:") {
            Some(at) if line.starts_with("runc") => {
                format!("{}{}'}}", &line[..at + 18], "0".repeat(64))
            }
            _ => line.clone(),
        })
        .collect();
    let machine = machine.set(&wrong.iter().map(String::as_str).collect::<Vec<_>>());
    machine.refuses(&["runc", "is expected. Nothing was installed"]);
    assert!(!machine.at("usr/bin/containerd").exists());

    let machine = machine.set(&variables.iter().map(String::as_str).collect::<Vec<_>>());
    machine.installs();
    machine.has("1.37.2");
    for path in [
        "usr/bin/crictl",
        "usr/bin/runc",
        "usr/bin/ctr",
        "opt/cni/bin/bridge",
        "usr/lib/systemd/system/containerd.service",
        "usr/lib/systemd/system/kubelet.service",
        "usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
    ] {
        assert!(machine.at(path).exists(), "{path}");
    }
    assert_eq!(
        machine.shell("ls /opt/cni/bin /var/cache/windlass").text,
        "/opt/cni/bin: bridge /var/cache/windlass:"
    );
    let config = machine.read("etc/containerd/config.toml");
    assert!(config.contains("\nSystemdCgroup = false\n"), "{config}");
    assert!(
        config.contains(
            "configs.\"registry-1.docker.io\".auth]\nusername = \"me\"\npassword = \"a\\\"b\"\n"
        ),
        "{config}"
    );
    assert_eq!(
        machine.shell("stat -c %a /etc/containerd/config.toml").text,
        "600"
    );
    let hosts = machine.read("etc/containerd/certs.d/docker.io/hosts.toml");
    let expected = "server = \"https://registry-1.docker.io\"\n\n[host.\"http://one:5000\"]\ncapabilities = [\"pull\", \"resolve\"]\n\
                    ca = \"/etc/containerd/certs.d/docker.io/key.asc\"\n\n[host.\"http://two\"]\ncapabilities = [\"pull\", \"resolve\"]\n";
    assert!(hosts.ends_with(expected), "{hosts}");

    // A mirror that is no longer named goes.
    let fewer: Vec<&str> = variables
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("registry_mirrors"))
        .collect();
    let machine = machine.set(&fewer);
    machine.installs();
    assert!(
        !machine
            .at("etc/containerd/certs.d/docker.io/hosts.toml")
            .exists()
    );

    let older = Machine::new(&[]);
    let variables: Vec<String> = binaries(&older)
        .into_iter()
        .map(|line| line.replace("stable", "'1.36'"))
        .collect();
    let older = older.set(&variables.iter().map(String::as_str).collect::<Vec<_>>());
    older.installs();
    older.has("1.36.3");
    let ran = older.run("upgrade", "-e kubernetes_version=v1.37.2");
    assert_eq!(ran.status, 0, "{}", ran.text);
    older.has("1.37.2");
}

#[test]
fn a_bundle_is_all_that_is_used_offline_and_proxies_come_and_go() {
    // Programs of the machine's own, which are no part of a bundle.
    let offline = [
        "offline: true",
        "bundle: /srv/release",
        "manage_prerequisites: false",
    ];
    let proxies = [
        "http_proxy: 'http://me:pass@proxy:3128'",
        "no_proxy: [example.com, 10.0.0.0/8]",
    ];
    let machine = Machine::new(&[&offline[..], &proxies[..]].concat());
    let ran = machine.run("install", "");
    assert_eq!(ran.status, 0, "{}", ran.text);
    assert!(
        !ran.text.contains("pass@"),
        "a password is shown\n{}",
        ran.text
    );
    machine.stays();
    machine.has("1.37.2");
    // Without them, the second run would have said what is missing.
    assert_eq!(
        machine.read("var/lib/images"),
        "registry.k8s.io/pause:3.10.1\n"
    );
    for unit in ["containerd", "kubelet"] {
        let path = format!("etc/systemd/system/{unit}.service.d/50-proxies.conf");
        let text = machine.read(&path);
        let line = "Environment=\"NO_PROXY=example.com,10.0.0.0/8,localhost,127.0.0.0/8,::1,10.244.0.0/16,10.96.0.0/12,.svc,.cluster.local,192.0.2.10";
        assert!(
            text.contains(line)
                && text.contains("Environment=\"HTTPS_PROXY=http://me:pass@proxy:3128\""),
            "{text}"
        );
        assert_eq!(machine.shell(&format!("stat -c %a /{path}")).text, "600");
    }
    let apt = machine.read("etc/apt/apt.conf.d/50windlass-proxies");
    assert!(
        apt.contains("Acquire::http::Proxy::example.com \"DIRECT\";\n"),
        "{apt}"
    );
    let dump = machine.shell("apt-config dump Acquire::http::Proxy");
    assert!(
        dump.text.contains("http://me:pass@proxy:3128"),
        "{}",
        dump.text
    );

    let machine = machine.set(&offline);
    machine.installs();
    assert!(!machine.at("etc/apt/apt.conf.d/50windlass-proxies").exists());

    // What is in it must be what its list of checksums says.
    let machine = Machine::new(&offline);
    let ran = machine.shell(
        "cp -a /srv/release /srv/bundle && for file in /srv/bundle/v1.37.2/bin/linux/*/kubelet; do echo x >>$file; done",
    );
    assert_eq!(ran.status, 0, "{}", ran.text);
    let machine = machine.set(&[offline[0], "bundle: /srv/bundle", offline[2]]);
    machine.refuses(&["kubelet", "is expected. Nothing was installed"]);
    assert!(!machine.at("usr/bin/kubeadm").exists());
    std::fs::write(machine.at("srv/bundle/SHA256SUMS"), "").unwrap();
    machine.refuses(&[
        "cannot be checked",
        "SHA256SUMS in /srv/bundle has no line for it",
    ]);
    // And without one, offline, nothing is installed.
    let machine = machine.set(&[offline[0], "kubernetes_version: v1.37.2", offline[2]]);
    machine.refuses(&["kubeadm"]);
    assert!(!machine.at("etc/containerd").exists());
}
