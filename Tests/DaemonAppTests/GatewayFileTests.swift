@testable import DaemonApp
import Foundation
import PushServer
import Testing

@Suite struct GatewayFileTests {
  private let folder: URL

  init() throws {
    folder = URL.temporaryDirectory.appending(path: "gateways-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ text: String, mode: Int = 0o600) throws -> String {
    let path = folder.appending(path: "gateways.toml").path()
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  @Test func pathsAreSeenFromTheFilesFolder() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try write(
      """
      channels = "c.sqlite"
      [web-push]
      subject = "mailto:ann@home.example"
      hosts = ["push.home.example"]
      """)
    let configuration = try GatewayFile.configuration(path, channels: "/elsewhere")
    #expect(configuration.path == folder.appending(path: "c.sqlite").path())
    #expect(configuration.webPush?.hosts == ["push.home.example"])
    #expect(!configuration.allowsPrivateAddresses)
  }

  @Test(arguments: [
    ("[web-push]\nsubject = \"ann\"", 0o600), ("[web-push]", 0o600), ("[webpush]\na = 1", 0o600),
    ("[web-push", 0o600), ("[!]", 0o600), ("channels = 3", 0o600),
    ("[web-push]\nsubject = \"mailto:ann@home.example\"", 0o644),
  ])
  func aWrongFileIsAWrongCommandLine(text: String, mode: Int) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try write(text, mode: mode)
    let error = #expect(throws: DaemonError.self) {
      try GatewayFile.configuration(path, channels: "/elsewhere")
    }
    #expect(error?.exitCode == 64)
  }

  @Test func withoutAPlaceForChannelsItDoesNotStart() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try write("[web-push]\nsubject = \"mailto:ann@home.example\"")
    #expect(throws: DaemonError.self) { try GatewayFile.configuration(path, channels: nil) }
  }
}
