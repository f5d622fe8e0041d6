#include "base/secret_files.h"

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/failure_of.h"
#include "base/temporary_directory.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

const SecretKey password{"login", "password", "spec.kafkaCluster.saslSecret.passwordKey"};

struct Folder {
  TemporaryDirectory directory;
  SecretFiles files{directory.path()};

  void put(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(directory.path()) / "login");
    std::ofstream(directory.path() + "/login/" + name, std::ios::binary) << text;
  }
};

TEST_CASE("a secret is what the file holds at the time") {
  Folder folder;
  folder.put("password", "old");
  CHECK_EQ(folder.files.read(password), "old");
  folder.put("password", "new\n");
  CHECK_EQ(folder.files.read(password), "new\n");
  CHECK_EQ(folder.files.read_word(password), "new");
  folder.put("password", " two words \r\n");
  CHECK_EQ(folder.files.read_word(password), " two words ");
  folder.put("password", "line\n\n");
  CHECK_EQ(folder.files.read_word(password), "line\n");
}

TEST_CASE("a secret that Kubernetes swaps by its links is followed") {
  Folder folder;
  namespace fs = std::filesystem;
  const auto login = fs::path(folder.directory.path()) / "login";
  for (const char* version : {"1", "2"}) {
    fs::create_directories(login / version);
    std::ofstream(login / version / "password") << "version " << version;
  }
  fs::create_symlink("1", login / "..data");
  fs::create_symlink("..data/password", login / "password");
  CHECK_EQ(folder.files.read(password), "version 1");
  fs::create_symlink("2", login / "..new");
  fs::rename(login / "..new", login / "..data");
  CHECK_EQ(folder.files.read(password), "version 2");
}

TEST_CASE("what is missing is named with the field that asks for it") {
  Folder folder;
  auto error = failure_of([&] { folder.files.read(password); });
  CHECK_EQ(error.kind(), ErrorKind::not_found);
  const std::string what = error.what();
  CHECK(what.find(folder.directory.path() + "/login/password") != std::string::npos);
  CHECK(what.find("spec.kafkaCluster.saslSecret.passwordKey") != std::string::npos);
  CHECK_FALSE(folder.files.read_if_there(password));
  CHECK_FALSE(folder.files.read_word_if_there(password));
  auto no_folder = failure_of([] { SecretFiles().read_if_there(password); });
  CHECK_EQ(no_folder.kind(), ErrorKind::not_found);
  CHECK(no_folder.hint().find("--secrets-dir") != std::string::npos);
}

TEST_CASE("what cannot be a secret is refused, and not shown") {
  Folder folder;
  for (const auto& text : {std::string(), std::string("\n"), std::string("\r\n"),
                           std::string(SecretFiles::bytes_max + 1, 'x')}) {
    folder.put("password", text);
    auto error = failure_of([&] { folder.files.read_if_there(password); });
    CHECK_EQ(error.kind(), ErrorKind::invalid);
    CHECK(std::string(error.what()).find("xxx") == std::string::npos);
  }
  folder.put("password", std::string(SecretFiles::bytes_max, 'x'));
  CHECK_EQ(folder.files.read(password).size(), SecretFiles::bytes_max);
  std::filesystem::remove(folder.directory.path() + "/login/password");
  std::filesystem::create_directory(folder.directory.path() + "/login/password");
  CHECK_EQ(failure_of([&] { folder.files.read(password); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace kb
