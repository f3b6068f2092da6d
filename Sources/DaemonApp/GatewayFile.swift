import Foundation
import PushServer
import TOMLKit

/// The file that `--gateways` names: the roads to sleeping devices, each a table of TOML.
struct GatewayFile: Decodable {
  struct WebPush: Decodable {
    let subject: String
    var hosts: [String]?
  }

  struct Testing: Decodable {
    var trust: String?
    var allowPrivateAddresses: Bool?

    enum CodingKeys: String, CodingKey {
      case trust
      case allowPrivateAddresses = "allow-private-addresses"
    }
  }

  var channels: String?
  var webPush: WebPush?
  var testing: Testing?

  enum CodingKeys: String, CodingKey {
    case channels, testing
    case webPush = "web-push"
  }

  /// Reads the file, which nobody else may read. Paths in it are seen from its folder.
  ///
  /// - Parameters:
  ///   - path: Of the file.
  ///   - channels: Where channels are kept when the file does not say.
  static func configuration(
    _ path: String, channels: String?
  ) throws(DaemonError) -> GatewayConfiguration {
    let text = try SecretKey.text(path)
    let file: GatewayFile
    do {
      file = try TOMLDecoder(strictDecoding: true).decode(GatewayFile.self, from: text)
    } catch {
      throw .usage("\(path) does not read: \(error)")
    }
    let folder = URL(filePath: path).deletingLastPathComponent()
    func beside(_ name: String) -> String { URL(filePath: name, relativeTo: folder).path() }
    guard let kept = file.channels.map(beside) ?? channels else {
      throw .usage("\(path): `channels` is missing: the SQLite file channels are kept in.")
    }
    var configuration = GatewayConfiguration(path: kept)
    configuration.webPush = try file.webPush.map { web throws(DaemonError) in
      guard web.subject.hasPrefix("mailto:") || web.subject.hasPrefix("https:") else {
        throw .usage("\(path): `subject` of [web-push] begins with mailto: or https:.")
      }
      return GatewayConfiguration.WebPush(subject: web.subject, hosts: web.hosts ?? [])
    }
    if let trust = file.testing?.trust {
      configuration.trustRoots = [try read(beside(trust))]
    }
    configuration.allowsPrivateAddresses = file.testing?.allowPrivateAddresses ?? false
    return configuration
  }

  private static func read(_ path: String) throws(DaemonError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .usage("The file \(path) cannot be read.")
    }
  }
}
