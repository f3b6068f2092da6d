import Foundation
import PushServer
import SettingsFiles
import TOMLKit

/// The file that `--gateways` names: the roads to sleeping devices, each a table of TOML.
struct GatewayFile: Decodable {
  struct WebPush: Decodable {
    let subject: String
    var hosts: [String]?
  }

  struct APNs: Decodable {
    let keyFile: String
    let keyID: String
    let teamID: String
    let topic: String
    var url: String?

    enum CodingKeys: String, CodingKey {
      case topic, url
      case keyFile = "key-file"
      case keyID = "key-id"
      case teamID = "team-id"
    }
  }

  struct FCM: Decodable {
    let serviceAccountFile: String

    enum CodingKeys: String, CodingKey {
      case serviceAccountFile = "service-account-file"
    }
  }

  struct WNS: Decodable {
    let tenantID: String
    let clientID: String
    let secretFile: String

    enum CodingKeys: String, CodingKey {
      case tenantID = "tenant-id"
      case clientID = "client-id"
      case secretFile = "secret-file"
    }
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
  var apns: APNs?
  var fcm: FCM?
  var wns: WNS?
  var testing: Testing?

  enum CodingKeys: String, CodingKey {
    case channels, apns, fcm, wns, testing
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
      file = try TOMLDecoder(strictDecoding: true)
        .decode(GatewayFile.self, from: SettingsText(text: text).table())
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
    try file.addVendors(to: &configuration, beside: beside)
    if let trust = file.testing?.trust {
      configuration.trustRoots = [try read(beside(trust))]
    }
    configuration.allowsPrivateAddresses = file.testing?.allowPrivateAddresses ?? false
    return configuration
  }

  /// The vendors whose secrets stand in files of their own.
  private func addVendors(
    to configuration: inout GatewayConfiguration, beside: (String) -> String
  ) throws(DaemonError) {
    if let apns {
      configuration.apns = .init(
        key: try SecretKey.text(beside(apns.keyFile)), keyID: apns.keyID, teamID: apns.teamID,
        topic: apns.topic)
      if let url = apns.url { configuration.apns?.url = url }
    }
    if let fcm {
      configuration.fcm = .init(
        serviceAccount: try SecretKey.text(beside(fcm.serviceAccountFile)))
    }
    if let wns {
      configuration.wns = .init(
        tenantID: wns.tenantID, clientID: wns.clientID,
        secret: try SecretKey.firstLine(beside(wns.secretFile)))
    }
  }

  private static func read(_ path: String) throws(DaemonError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .usage("The file \(path) cannot be read.")
    }
  }
}
