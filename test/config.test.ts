import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { CONFIG_VARIABLES, ConfigError, loadConfig } from "../src/config.js";
import { VERSION } from "../src/version.js";

const MIB = 1024 * 1024;

describe("configuration", () => {
  it("needs nothing: the defaults are the embedded set-up with the contract's limits", () => {
    expect(loadConfig({})).toMatchObject({
      PORT: 3000,
      HOST: "127.0.0.1",
      DATA_DIR: "./data",
      DATABASE_URL: "file:./data/media.db",
      UPLOAD_DIR: "./data/files",
      STORAGE_TYPE: "local",
      KEEP_GPS: false,
      CORS_ORIGINS: [],
      isProduction: false,
      MAX_IMAGE_BYTES: 20 * MIB,
      MAX_AVATAR_BYTES: 10 * MIB,
      MAX_VIDEO_BYTES: 500 * MIB,
      MIN_VIDEO_BYTES: 10_240,
      MIN_IMAGE_SIDE: 50,
      MIN_SLOT_IMAGE_SIDE: 100,
      MAX_IMAGE_SIDE: 16384,
      MAX_IMAGE_PIXELS: 100_000_000,
      MAX_ANIMATED_PIXELS: 200_000_000,
      MAX_BATCH_FILES: 20,
    });
  });

  it("puts database and files below DATA_DIR unless they are placed elsewhere", () => {
    expect(loadConfig({ DATA_DIR: "/srv/media" })).toMatchObject({
      DATABASE_URL: "file:/srv/media/media.db",
      UPLOAD_DIR: "/srv/media/files",
    });
    const placed = loadConfig({ DATA_DIR: "/srv/media", DATABASE_URL: "file:/other.db", UPLOAD_DIR: "/bytes" });
    expect(placed).toMatchObject({ DATABASE_URL: "file:/other.db", UPLOAD_DIR: "/bytes" });
  });

  it("reads values, and takes empty ones for absent", () => {
    const config = loadConfig({
      PORT: "0",
      BASE_URL: "https://media.example/",
      CORS_ORIGINS: "https://a.example, https://b.example",
      KEEP_GPS: "true",
      HOST: "",
    });
    expect(config).toMatchObject({
      PORT: 0,
      HOST: "127.0.0.1",
      BASE_URL: "https://media.example",
      KEEP_GPS: true,
      CORS_ORIGINS: ["https://a.example", "https://b.example"],
    });
  });

  it.each([
    "redis://localhost",
    "redis://user:p%40ss@redis.example:6379/2",
    "rediss://:password@redis.example/",
    "redis://[::1]:6379",
  ])("takes %s for REDIS_URL", (REDIS_URL) => {
    expect(loadConfig({ REDIS_URL }).REDIS_URL).toBe(REDIS_URL);
  });

  it.each([
    ["PORT", "http"],
    ["CORS_ORIGINS", "*"],
    ["CORS_ORIGINS", "https://a.example,null"],
    ["CORS_ORIGINS", "https://a.example/app"],
    ["REDIS_URL", "localhost:6379"],
    ["REDIS_URL", "http://localhost:6379"],
    ["REDIS_URL", "redis://:0"],
    ["REDIS_URL", "redis:///0"],
    ["REDIS_URL", "redis://localhost/cache"],
    ["REDIS_URL", "redis://localhost:99999"],
    ["REDIS_URL", "redis://localhost?commandTimeout=1"],
    ["PORT", "70000"],
    ["PORT", "-1"],
    ["PORT", "3000 "],
    ["BASE_URL", "media.example"],
    ["BASE_URL", "ftp://x"],
    ["DATABASE_URL", "postgres://x"],
    ["STORAGE_TYPE", "ftp"],
    ["STORAGE_FALLBACK", "memory"],
    ["S3_ENDPOINT_URL", "s3.example"],
    ["S3_FORCE_PATH_STYLE", "yes"],
    ["DATABASE_POOL_SIZE", "0"],
    ["KEEP_GPS", "yes"],
    ["CORS_ORIGINS", "*"],
    ["LOG_LEVEL", "loud"],
    ["MAX_IMAGE_BYTES", "20MB"],
    ["MAX_IMAGE_BYTES", "0"],
    ["MAX_BATCH_FILES", "1e3"],
    ["SERVICE_TOKEN", "x".repeat(600)],
  ])("refuses %s=%s in one line that names it and hides the value", (name, value) => {
    const attempt = () => loadConfig({ [name]: value });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(new RegExp(`^${name} .+$`));
    expect(attempt).not.toThrow(value);
  });

  it("takes a bucket, with the path style wherever an endpoint is named", () => {
    const bucket = { STORAGE_TYPE: "s3", S3_BUCKET_NAME: "media" };
    expect(loadConfig(bucket)).toMatchObject({
      ...bucket,
      AWS_REGION: "us-east-1",
      STORAGE_FALLBACK: "off",
      S3_FORCE_PATH_STYLE: false,
    });
    const endpoint = { ...bucket, S3_ENDPOINT_URL: "https://s3.example/" };
    expect(loadConfig(endpoint)).toMatchObject({ S3_ENDPOINT_URL: "https://s3.example", S3_FORCE_PATH_STYLE: true });
    expect(loadConfig({ ...endpoint, S3_FORCE_PATH_STYLE: "false" }).S3_FORCE_PATH_STYLE).toBe(false);
  });

  it.each([
    [{ STORAGE_TYPE: "s3" }, "S3_BUCKET_NAME is required where STORAGE_TYPE is s3"],
    [{ STORAGE_FALLBACK: "local" }, "STORAGE_FALLBACK must be off where STORAGE_TYPE is local"],
    [{ AWS_ACCESS_KEY_ID: "id" }, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be given together"],
    [{ AWS_SECRET_ACCESS_KEY: "key" }, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be given together"],
  ])("refuses what only makes sense together: %o", (env, message) => {
    expect(() => loadConfig(env)).toThrow(new ConfigError(message));
  });

  it("asks for secrets in production and beside a MySQL database", () => {
    const secrets = { SERVICE_TOKEN: "s".repeat(16), SIGNING_SECRET: "t".repeat(16) };
    expect(() => loadConfig({ NODE_ENV: "production" })).toThrow("SERVICE_TOKEN is required in production");
    expect(() => loadConfig({ ...secrets, NODE_ENV: "production", SIGNING_SECRET: "short" })).toThrow("SIGNING_SECRET");
    expect(() => loadConfig({ DATABASE_URL: "mysql://db/media" })).toThrow("SERVICE_TOKEN");
    expect(loadConfig({ ...secrets, NODE_ENV: "production" }).isProduction).toBe(true);
    expect(loadConfig({ ...secrets, DATABASE_URL: "mysql://db/media" }).isProduction).toBe(true);
  });

  it("knows its variables", () => {
    expect(CONFIG_VARIABLES).toContain("PORT");
    expect(new Set(CONFIG_VARIABLES).size).toBe(CONFIG_VARIABLES.length);
  });

  it("the release is the package's", () => expect(VERSION).toBe(packageJson.version));
});
