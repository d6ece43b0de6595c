//! `kubelet-certificates.sh`, which approves what kubelets ask to serve with: only for nodes of the inventory, and only for
//! their own names and addresses. With a kubectl of the test's own and real requests (`openssl req`).

use std::process::Command;

use windlass_tests::program::{Place, root};

/// CN=system:node:w1, O=system:nodes; w1, 10.0.0.5 and `fd00::5`.
const W1: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIICrTCCAZUCAQAwMDEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMRcwFQYDVQQDDA5z
eXN0ZW06bm9kZTp3MTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAJhy
ODofc9s8Lhhp+5O+NX9etAvHk85NcLYA62gHqxSiqKQVWLJC4tyAU4R7F34DniZP
OmBTZBjqFEJnrroAvJnNeMvzfge3jFoMnhQZoNihEgL8UOf5yhb0Wej3HsBcTb+y
jCrtpBapwg6Smj6lOKbEyNLpP1YJCVYVkh4pq7T53TYxVb3DlnhM1GH2GRr6mAAF
JPj/vFf4Iis9ITqruB9+fnaZvZcUg7Ky5g7bUSn5U/0wjXehyjC0FgYmvnSxG8lo
jrRfw0EfKw6Vw5kmz8w1X5/VEMWUZKaWi0OR+4WtRutVwsUyAbx97WvURaT7frjU
sspGz2ja45lA6dFWAD0CAwEAAaA4MDYGCSqGSIb3DQEJDjEpMCcwJQYDVR0RBB4w
HIICdzGHBAoAAAWHEP0AAAAAAAAAAAAAAAAAAAUwDQYJKoZIhvcNAQELBQADggEB
AFhNB8mppcOPVbeoxwSnBtKupKP6m4TrSP4FKhp0lsW1GbELQiA7X8EkSp7Csm+V
gYgFTNWSVtpxhjTLGwy2wCtYZym4L5apTJlsn+B+wiPjX1VXFG+phMRYZxC+6bgh
KR/MCTheD/vgw78NwvYXhjUw2cDIIZZvoEs2wDUz7PjhSwLnygqwcCEK3tDxDtTu
/RP8okpC+5TN6B8NNryB6SqRVRZ89eVPiInHLODROE1yhCZ1Yf9LmAB/zNoJYU1p
rEAI8VZx+PDyfIf91o49B7D2QBpFiB9JlIbOK9j42J6+U/TiOmN1/MIMa8arhNFX
SsuyOnBi6xKZWHW3PmSHV4I=
-----END CERTIFICATE REQUEST-----
";

/// The same node, for the name `kubernetes` too.
const W1_AND_MORE: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIICoTCCAYkCAQAwMDEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMRcwFQYDVQQDDA5z
eXN0ZW06bm9kZTp3MTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALca
p6DlPtKjrOgL+QCkKhcUXIaNCkt28M9grKMh2P3twF7zRRewO10vSLu2On3jCGTA
9/d3Q1YAqEL1NP5kdc/67KAmJKgUobZu4jgeHN0Tuadt9jugczpH1ZAolLobQ+Rb
V6gDpp9Q55rHcXWHQv5cRmaTROjHsR8jSp1PTKp2PUmTvm0BIEixkSTxZWFnHvc9
zlZMS9TRikgJ/Dhyptpt+NuDuZDglZkPhuXM3SglBUHIvtxJQHnrjmgWlbl0YhSm
REAjBRF5l2tr2LmkvKTHtxpu573fQnKSCxq8TLUTmddOq8Q/DG0k53XiMDGEpolr
Mi8TmsKZtpuI+OuzFWkCAwEAAaAsMCoGCSqGSIb3DQEJDjEdMBswGQYDVR0RBBIw
EIICdzGCCmt1YmVybmV0ZXMwDQYJKoZIhvcNAQELBQADggEBADSd0wrAQ1KpdhJB
GKb6CMa2LCf2P2DmtSeB2Rm3XycVnJueseSHTx/As1FM9Kr30JvcW3N8KxoMgoab
lkZgWWNa5DUE12fSqgHtkToMojiRkAziCMHm7WfnuxAgfPqUs7o6Q43olIpQRsGE
tK4j9+Tm1v/deygMMLnTA86FZjkoHjjN/E3wf97Of4DdVz0MLMbVDSi5I6w3bAcx
tEwdgl19s+fIgrdXSQIcb36AfPfDE63XnvnZuRGa+TcvJkbyn3SBwe52SaYgiKZK
VpKNvYNI17lgQiGv6AwkVpA28MR8MFVZOfKqapIUSTG2OWS1AE4SMaHe5zOOFL/K
W0Kmt0c=
-----END CERTIFICATE REQUEST-----
";

/// CN=system:node:w2, 10.0.0.6, with a key on an elliptic curve.
const W2: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIIBDDCBtAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5
c3RlbTpub2RlOncyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnuHkmXcgm5gK
XiP0u3xt4fnRSnkEOtzsm14LF5ORQ+3bQPeZdRI+3JGQ6zPmhTAegjskFTQXac3o
TBgwJ/+SNKAiMCAGCSqGSIb3DQEJDjETMBEwDwYDVR0RBAgwBocECgAABjAKBggq
hkjOPQQDAgNHADBEAiAwmWtKhvyrA6g1QKZG2mZlmBO8zkxISeKjijyY7N3SdAIg
HaXe8la5AlUbH7T78rBcG3FZGyrlVVX5ToSdjn7WqI0=
-----END CERTIFICATE REQUEST-----
";

/// A request as kubectl shows it: its name, who made it, for what use, and what it says.
fn request(name: &str, who: &str, usages: &str, text: &str) -> String {
    let signer = "kubernetes.io/kubelet-serving";
    format!(
        "printf '%s\\n' '{name}|{signer}|{who}|{usages},|'$(base64 -w0 <<'E'\n{}\nE\n)\n",
        text.trim_end()
    )
}

/// Runs it where these requests wait; what it printed and what was approved, under both shells of nodes.
fn run(requests: &[String], words: &[&str]) -> (String, String) {
    let mut seen = None;
    for shell in [&["dash"][..], &["busybox", "sh"]] {
        let place = Place::new();
        let approved = place.at("approved");
        let kubectl = format!(
            "case $* in\n*'certificate approve'*) shift 4; echo \"$*\" >>{} ;;\n*) {} ;;\nesac\n",
            approved.display(),
            requests.concat()
        );
        place.program("kubectl", &kubectl);
        let path = format!("{}:/usr/bin:/bin", place.path().display());
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .arg(root().join("playbooks/files/kubelet-certificates.sh"))
            .args(words)
            .env("PATH", path)
            .output()
            .expect("there is a shell");
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stdout).expect("it is text");
        let now = (
            printed,
            std::fs::read_to_string(approved).unwrap_or_default(),
        );
        assert_eq!(*seen.get_or_insert_with(|| now.clone()), now, "{shell:?}");
    }
    seen.expect("there are two shells")
}

const SERVING: &str = "digital signature,server auth";

#[test]
fn what_the_inventory_knows_is_approved_in_any_form_of_address() {
    let requests = [
        request("csr-1", "system:node:w1", SERVING, W1),
        request("csr-2", "system:node:w2", SERVING, W2),
    ];
    let nodes = ["w1=w1,10.0.0.5,FD00::5", "w2=w2,10.0.0.6,10.0.0.7"];
    let (printed, approved) = run(&requests, &[&["0"][..], &nodes].concat());
    assert_eq!(printed, "approved csr-1 w1\napproved csr-2 w2\n");
    assert_eq!(approved, "approve csr-1\napprove csr-2\n");
    let (printed, approved) = run(&requests, &[&["--check", "0"][..], &nodes].concat());
    assert_eq!(printed, "would approve csr-1 w1\nwould approve csr-2 w2\n");
    assert_eq!(approved, "");
}

#[test]
fn whatever_else_is_asked_for_is_left_and_named() {
    let requests = [
        request("csr-more", "system:node:w1", SERVING, W1_AND_MORE),
        request("csr-another", "system:node:w2", SERVING, W1),
        request("csr-unknown", "system:node:w9", SERVING, W1),
        request(
            "csr-client",
            "system:node:w1",
            "server auth,client auth",
            W1,
        ),
        request("csr-person", "mallory", SERVING, W1),
        request("csr-rest", "system:node:w1", SERVING, &W1[..200]),
    ];
    let (printed, approved) = run(
        &requests,
        &["0", "w1=w1,10.0.0.5,fd00::5", "w2=w2,10.0.0.6"],
    );
    assert_eq!(approved, "");
    assert_eq!(
        printed,
        "left csr-more: it asks for kubernetes \n\
         left csr-another: it asks for system:node:w1 w1 10.0.0.5 \n\
         left csr-unknown: no host of the inventory is the Node w9\n\
         left csr-client: it is for a client, too\n\
         left csr-rest: its subject is odd\n"
    );
}

/// An address that the inventory does not have is not the node's, though its name is.
#[test]
fn a_name_alone_is_not_enough() {
    let requests = [request("csr-1", "system:node:w1", SERVING, W1)];
    let (printed, approved) = run(&requests, &["0", "w1=w1,10.0.0.5"]);
    assert_eq!(approved, "");
    assert_eq!(
        printed,
        "left csr-1: it asks for fd00:0000:0000:0000:0000:0000:0000:0005 \n"
    );
}
