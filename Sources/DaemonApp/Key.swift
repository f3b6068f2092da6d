import ArgumentParser
import Wire

/// Prints what devices know a server by, for a certificate that is not in use yet.
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the key by which devices know a server with this certificate.",
    discussion: """
      EXAMPLE: higginsd key new-certificate.pem

      Announce it with `higgins server trust KEY` before the server is given the new certificate, or \
      after; then no device has to join again. A renewed certificate of the same key needs nothing.
      """)

  @Argument(help: "PEM, the server's own certificate first.")
  var certificate: String

  func run() throws {
    let read = try ServerCertificate(
      ServerCertificate.Paths(certificate: certificate, key: nil), uptime: { .zero })
    print(read.facts.keyHash.fingerprint)
  }
}
