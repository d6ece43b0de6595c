//! A new cluster with another network than the lab's own, by variables alone; and the user's tasks on the way.

use std::path::Path;
use std::time::Duration;

use windlass_tests::lab::{eventually, unchanged};
use windlass_tests::program::root;

use crate::life::Life;

/// Two pods with a web server each, one on each node.
const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 0
  automountServiceAccountToken: false
  tolerations: [{operator: Exists}]
  containers:
    - name: web
      image: docker.io/lab/cni:1
      imagePullPolicy: Never
      command: [sh, -c, 'mkdir /www && echo "I am NAME" >/www/index.html && exec busybox httpd -f -p 8080 -h /www']
"#;

pub fn second_cni(life: &Life) {
    let network = format!("@{}/tests/lab/second-cni.yml", root().display());
    let inventory = life.inventory("hosts", &life.hosts);
    let folder = inventory.parent().expect("a file is in a folder");
    let hooks = hooks(folder);
    let words = ["playbooks/stacked.yml", "-e", &network, "-e", &hooks];
    let run = || life.lab.windlass_on(&inventory, &words);

    let gone = hooks.replace("hooks/before_join.yml", "hooks/gone.yml");
    let missing = life.lab.windlass_on(
        &inventory,
        &["playbooks/stacked.yml", "-e", &network, "-e", &gone],
    );
    assert_ne!(missing.status, 0, "{}", missing.text);
    assert!(
        missing.text.contains("before_join names hooks/gone.yml"),
        "{}",
        missing.text
    );

    std::fs::write(
        folder.join("hooks/slip.yml"),
        "- command: 'true'\n- copi: {src: x}\n",
    )
    .expect("files can be written there");
    let slip = hooks.replace("hooks/after_cluster.yml", "hooks/slip.yml");
    let slip = life.lab.windlass_on(
        &inventory,
        &["playbooks/stacked.yml", "-e", &network, "-e", &slip],
    );
    assert_ne!(slip.status, 0, "{}", slip.text);
    assert!(
        slip.text
            .contains("slip.yml:2:3: there is no module `copi`"),
        "{}",
        slip.text
    );

    let _ = run().well();
    life.whole();
    hooks_were_run(life);
    it_is_the_second(life);
    pods_reach_each_other(life);
    unchanged(&run().well(), life.count());
}

/// A file of tasks for each point, that notes what is there at that point.
fn hooks(folder: &Path) -> String {
    let names = ["before_init", "after_init", "before_join", "after_cluster"];
    std::fs::create_dir_all(folder.join("hooks")).expect("folders can be made there");
    for name in names {
        let tasks = format!(
            r#"- name: Note that it is time for {name}
  shell: |
    {{
      echo "{name} of {{{{ cluster_endpoint }}}}"
      [ ! -e /etc/kubernetes/kubelet.conf ] || echo "a kubelet"
      [ ! -e /etc/kubernetes/admin.conf ] || kubectl --kubeconfig /etc/kubernetes/admin.conf get namespaces,nodes -o name
    }} >/root/{name}
  args:
    creates: /root/{name}
"#
        );
        std::fs::write(folder.join(format!("hooks/{name}.yml")), tasks)
            .expect("files can be written there");
    }
    // One as a list, the others as they are.
    r#"{"before_init": ["hooks/before_init.yml"], "after_init": "hooks/after_init.yml",
        "before_join": "hooks/before_join.yml", "after_cluster": "hooks/after_cluster.yml"}"#
        .to_owned()
}

fn hooks_were_run(life: &Life) {
    let noted = |node: &str, name: &str| life.lab.on(node, &format!("cat /root/{name}")).well();
    let endpoint = format!(" of {}.1:6443\n", life.lab.subnet());
    assert_eq!(
        noted("cp1", "before_init"),
        format!("before_init{endpoint}")
    );
    assert_eq!(noted("w1", "before_join"), format!("before_join{endpoint}"));
    let after_init = noted("cp1", "after_init");
    assert!(
        after_init.contains("node/cp1") && !after_init.contains("second-network"),
        "{after_init}"
    );
    let at_the_end = noted("cp1", "after_cluster");
    assert!(
        at_the_end.contains("node/w1") && at_the_end.contains("namespace/second-network"),
        "{at_the_end}"
    );
    let strangers = life.lab.on(
        "w1",
        "ls /root/before_init /root/after_init /root/after_cluster",
    );
    assert_ne!(strangers.status, 0, "{}", strangers.text);
}

/// Nothing of the lab's own network is there.
fn it_is_the_second(life: &Life) {
    for node in ["cp1", "w1"] {
        let configured = life.lab.on(node, "ls /etc/cni/net.d").well();
        assert_eq!(configured.trim(), "20-wires.conflist", "{node}");
        let bridge = life.lab.on(node, "ip link show cni0");
        assert_ne!(bridge.status, 0, "{node} has a bridge: {}", bridge.text);
    }
    let sets = life
        .kubectl("get daemonsets --all-namespaces -o name")
        .well();
    assert!(
        sets.contains("daemonset.apps/wires") && !sets.contains("lab-cni"),
        "{sets}"
    );
}

/// A pod on either node gets the page of the one on the other, by addresses of the second network.
fn pods_reach_each_other(life: &Life) {
    let pods = [("one", "cp1", "10.99.11."), ("other", "w1", "10.99.101.")];
    for (name, node, _) in pods {
        let pod = PODS.replace("NAME", name).replace("NODE", node);
        let apply = format!(
            "kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - <<'END'\n{pod}\nEND"
        );
        // The account that every pod has comes a moment after its namespace.
        eventually(Duration::from_secs(30), "a pod can be made", || {
            life.lab.on("cp1", &apply).status == 0
        });
    }
    let address = |name: &str| {
        let asked = life.kubectl(&format!("get pod {name} -o jsonpath={{.status.podIP}}"));
        asked.text.trim().to_owned()
    };
    for (name, node, prefix) in pods {
        eventually(Duration::from_secs(60), "a pod has an address", || {
            address(name).starts_with(prefix)
        });
        let found = address(name);
        assert!(found.starts_with(prefix), "{name} on {node} has {found}");
    }
    for (from, to) in [("one", "other"), ("other", "one")] {
        let get = format!(
            "exec {from} -- busybox wget -q -O - http://{}:8080/",
            address(to)
        );
        let expected = format!("I am {to}");
        eventually(
            Duration::from_secs(30),
            "one pod gets the page of the other",
            || life.kubectl(&get).text.trim() == expected,
        );
    }
    let _ = life.kubectl("delete pod one other --wait=false").well();
}
