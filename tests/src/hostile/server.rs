//! SSH servers that are none: one port, one way to misbehave.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::modes::Server;
use super::words;

/// Listens on a port of the loopback's own choice, for as long as the test runs.
///
/// # Panics
/// When there is no port.
pub fn start(how: Server, run: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it has an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let run = run.clone();
            // Who hangs up has had enough.
            thread::spawn(move || serve(stream, how, &run));
        }
    });
    port
}

fn serve(mut stream: TcpStream, how: Server, run: &str) -> io::Result<()> {
    match how {
        Server::Closes => return Ok(()),
        Server::Silent => {}
        Server::Garbage => {
            let mut random = vec![0; 65536];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
            stream.write_all(&random)?;
        }
        Server::Flood => loop {
            stream.write_all(&b"come in, come in\r\n".repeat(512))?;
        },
        Server::Drips => {
            for byte in b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3".iter().cycle() {
                stream.write_all(&[*byte])?;
                thread::sleep(Duration::from_secs(1));
            }
        }
        Server::Http => {
            stream.write_all(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nBad Request",
            )?;
            return Ok(());
        }
        Server::BannerOnly => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n")?,
        Server::BannerWords => {
            write!(
                stream,
                "{}\r\nSSH-2.0-{}\r\n",
                words::mixed(run),
                words::mixed(run)
            )?;
        }
        Server::HugePacket => {
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\xff\xff\xff\xff\xff")?;
            stream.write_all(&vec![0x14; 65536])?;
        }
    }
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}
