import AttributeServer
import NIOSSL
import Wire

/// What keeps connections from being read and changed on their way.
enum Protection {
  /// Nothing: only loopback is listened on.
  case none
  /// TLS, done here.
  case certificate(ServerCertificate)
  /// TLS, done by a proxy. Devices name its key in their proofs, so the Attribute Server must know
  /// the certificate it shows.
  case proxy(ServerCertificate?)

  init(_ settings: Settings, _ options: CommonOptions) throws(DaemonError) {
    let certificate = settings.text("tls-certificate", options.tlsCertificate)
    let key = settings.text("tls-key", options.tlsKey)
    let uptime = ServerClock.system.uptime
    guard try !settings.flag("behind-proxy", options.behindProxy) else {
      guard key == nil else {
        throw .usage("--tls-key is the proxy's affair: leave it out with --behind-proxy.")
      }
      self = .proxy(
        try certificate.map { path throws(DaemonError) in
          try ServerCertificate(.init(certificate: path, key: nil), uptime: uptime)
        })
      return
    }
    switch (certificate, key) {
    case (nil, nil): self = .none
    case (let certificate?, let key?):
      self = .certificate(
        try ServerCertificate(.init(certificate: certificate, key: key), uptime: uptime))
    default: throw .usage("--tls-certificate and --tls-key go together.")
    }
  }

  var certificate: ServerCertificate? {
    switch self {
    case .none: nil
    case .certificate(let certificate): certificate
    case .proxy(let certificate): certificate
    }
  }

  /// For listeners here; nil: they speak plaintext.
  var tls: TLSConfiguration? {
    if case .certificate(let certificate) = self { certificate.configuration() } else { nil }
  }

  var isBehindProxy: Bool {
    if case .proxy = self { true } else { false }
  }

  /// Which keys of this server a device's proof may name: the zero hash stands for plaintext, which
  /// a device speaks with loopback alone.
  var keyHashes: @Sendable () -> [Digest32] {
    switch self {
    case .none: { [.zero] }
    case .certificate(let certificate): { certificate.keyHashes }
    case .proxy(let certificate): { (certificate?.keyHashes ?? []) + [.zero] }
    }
  }

  /// Behind a proxy whose key is not known no device could prove itself.
  func requireKnownKey() throws(DaemonError) {
    guard case .proxy(nil) = self else { return }
    throw .usage(
      "--behind-proxy needs --tls-certificate FILE: the certificate the proxy shows, whose key"
        + " devices name when they prove themselves.")
  }
}
