import Foundation
import Testing
import Wire

@testable import Storage

@Suite struct ProfileTests {
  let scratch = Scratch()

  private func folder(_ profile: String = "default") throws -> ProfileFolder {
    try ProfileFolder(home: scratch.path + "/h", profile: profile, environment: [:])
  }

  @Test func homeKeepsEverythingTogether() throws {
    let folder = try ProfileFolder(home: "/x/y/", profile: "work", environment: ["HOME": "/home/a"])
    #expect(folder.database == "/x/y/data/work/database")
    #expect(folder.keyring == "/x/y/data/work/keyring")
    #expect(folder.deviceKey == "/x/y/data/work/device.key")
    #expect(folder.settings == "/x/y/data/work/profile.json")
    #expect(folder.lock == "/x/y/data/work/lock")
    #expect(folder.configuration == "/x/y/config/work")
    #expect(folder.socket == "/x/y/run/work/socket")
  }

  @Test func xdgFoldersAndTheirDefaults() throws {
    var environment = ["HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/1000"]
    var folder = try ProfileFolder(home: nil, profile: "work", environment: environment)
    #expect(folder.data == "/home/ann/.local/share/higgins/work")
    #expect(folder.configuration == "/home/ann/.config/higgins/work")
    #expect(folder.runtime == "/run/user/1000/higgins/work")
    environment["XDG_DATA_HOME"] = "/d"
    environment["XDG_CONFIG_HOME"] = "relative"
    environment["XDG_RUNTIME_DIR"] = nil
    folder = try ProfileFolder(home: nil, profile: "work", environment: environment)
    #expect(folder.data == "/d/higgins/work")
    #expect(folder.configuration == "/home/ann/.config/higgins/work")
    #expect(folder.runtime == "/tmp/higgins-\(geteuid())/work")
  }

  @Test(arguments: [
    "", ".", "..", ".hidden", "a/b", "ä", "a b", "a\n", String(repeating: "x", count: 65),
  ])
  func oddProfileNamesAreRefused(_ name: String) {
    #expect(throws: StorageError.invalidProfileName(name)) { try folder(name) }
  }

  @Test(arguments: ["default", "Work-2_b.c", String(repeating: "x", count: 64)])
  func plainProfileNamesAreTaken(_ name: String) throws {
    #expect(try folder(name).profile == name)
  }

  @Test func aLongSocketPathIsShortened() throws {
    let home = "/" + String(repeating: "long", count: 30)
    let one = try ProfileFolder(home: home, profile: "one", environment: [:])
    let two = try ProfileFolder(home: home, profile: "two", environment: [:])
    #expect(one.socket.utf8.count < 108)
    #expect(one.socket.hasPrefix("/tmp/higgins-\(geteuid())/"))
    #expect(one.socket != two.socket)
    #expect(one.socket == (try ProfileFolder(home: home, profile: "one", environment: [:])).socket)
  }

  @Test func theLongestPathThatFitsIsKept() throws {
    let rest = "/run/p/socket".utf8.count
    for (length, isKept) in [(107 - rest, true), (108 - rest, false)] {
      let home = "/" + String(repeating: "x", count: length - 1)
      let folder = try ProfileFolder(home: home, profile: "p", environment: [:])
      #expect((folder.socket == home + "/run/p/socket") == isKept)
    }
  }

  @Test func createMakesPrivateFoldersAndMayRunTwice() throws {
    let folder = try folder()
    #expect(!folder.exists)
    try folder.create()
    try folder.create()
    for path in [folder.data, folder.configuration, folder.runtime, scratch.path + "/h"] {
      #expect(try scratch.mode(path) == 0o700)
    }
  }

  @Test func createRefusesFoldersOthersCanWrite() throws {
    let folder = try folder()
    try folder.create()
    chmod(folder.data, 0o770)
    #expect(throws: StorageError.insecure(path: folder.data, reason: "other users may write to it"))
    { try folder.create() }
    chmod(folder.data, 0o700)
    chmod(scratch.path + "/h", 0o777)
    #expect(throws: StorageError.self) { try folder.create() }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
  func createRefusesFoldersOfOthers() throws {
    let folder = try folder()
    try folder.create()
    chown(folder.data, 12345, 12345)
    #expect(throws: StorageError.insecure(path: folder.data, reason: "belongs to user 12345")) {
      try folder.create()
    }
  }

  @Test func filesRoundTripAndReplace() throws {
    let folder = try folder()
    try folder.create()
    try folder.writeFile([1, 2, 3], to: folder.keyring)
    try folder.writeFile([4], to: folder.keyring)
    #expect(try folder.readFile(folder.keyring) == [4])
    #expect(try scratch.mode(folder.keyring) == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.data) == ["keyring"])
    let large = [UInt8](repeating: 5, count: 300_000)
    try folder.writeFile(large, to: folder.keyring)
    #expect(try folder.readFile(folder.keyring) == large)
  }

  @Test func filesThatAreNotOursAloneAreNotRead() throws {
    let folder = try folder()
    try folder.create()
    #expect(throws: StorageError.missing(path: folder.keyring)) {
      try folder.readFile(folder.keyring)
    }
    try folder.writeFile([1], to: folder.deviceKey)
    chmod(folder.deviceKey, 0o604)
    #expect(throws: StorageError.self) { try folder.readFile(folder.deviceKey) }
    chmod(folder.deviceKey, 0o600)
    #expect(throws: StorageError.self) { try folder.readFile(folder.deviceKey, limitBytes: 0) }
    // A pipe in its place must not hang the program.
    mkfifo(folder.keyring, 0o600)
    #expect(throws: StorageError.insecure(path: folder.keyring, reason: "is not a file")) {
      try folder.readFile(folder.keyring)
    }
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    let folder = try folder()
    try folder.create()
    try folder.writeFile([1], to: folder.keyring)
    let path = folder.data + "/no/keyring"
    let temporary = "\(path).\(getpid()).new"
    #expect(
      throws: StorageError.failed(path: temporary, operation: "making", code: ENOENT)
    ) { try folder.writeFile([2], to: path) }
    #expect(try folder.readFile(folder.keyring) == [1])
  }

  @Test func settingsRoundTrip() throws {
    let folder = try folder()
    try folder.create()
    var settings = ProfileSettings(
      account: id(1), device: id(2), server: "http://127.0.0.1:7480", createdAt: 5)
    try folder.writeSettings(settings)
    #expect(folder.exists)
    #expect(try folder.readSettings() == settings)
    settings.pin = digest([1])
    settings.instance = id(3)
    try folder.writeSettings(settings)
    #expect(try folder.readSettings() == settings)
    try folder.writeFile(Array("{".utf8), to: folder.settings)
    #expect(throws: StorageError.corrupted(path: folder.settings, detail: "it does not read")) {
      try folder.readSettings()
    }
  }

  @Test func aSecondHolderLearnsWhoHoldsTheLock() throws {
    let folder = try folder()
    try folder.create()
    let lock = try ProfileLock.acquire(folder.lock)
    #expect(throws: StorageError.heldBy(pid: getpid())) { try ProfileLock.acquire(folder.lock) }
    #expect(try scratch.mode(folder.lock) == 0o600)
    lock.release()
    lock.release()
    let next = try ProfileLock.acquire(folder.lock)
    next.release()
  }

  @Test func aLockFileLeftBehindHoldsNobodyUp() throws {
    let folder = try folder()
    try folder.create()
    try folder.writeFile(Array("999999\n".utf8), to: folder.lock)
    let lock = try ProfileLock.acquire(folder.lock)
    #expect(try folder.readFile(folder.lock) == Array("\(getpid())\n".utf8))
    lock.release()
  }
}
