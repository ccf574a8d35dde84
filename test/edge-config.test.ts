import { describe, expect, it } from "vitest";
import { ConfigError } from "../src/config.js";
import { loadEdgeConfig } from "../src/edge-config.js";

const NEEDED = {
  BASE_URL: "https://media.example.org/",
  DATABASE_URL: "mysql://media:password@db.example.org/media",
  S3_BUCKET_NAME: "media",
  AWS_ACCESS_KEY_ID: "key",
  AWS_SECRET_ACCESS_KEY: "secret",
  SERVICE_TOKEN: "service-token-0123",
  SIGNING_SECRET: "signing-secret-0123",
};
const HYPERDRIVE = {
  connectionString: "mysql://user:pass@binding.local:3306/media?ssl-mode=disabled",
  connect: () => undefined,
};

describe("the edge's configuration", () => {
  it("has the server's defaults, and those of production", () => {
    expect(loadEdgeConfig(NEEDED)).toMatchObject({
      BASE_URL: "https://media.example.org",
      AWS_REGION: "us-east-1",
      S3_FORCE_PATH_STYLE: false,
      RATE_LIMIT: 1200,
      TRUST_PROXY: false,
      MAX_IMAGE_BYTES: 20 * 1024 * 1024,
      isPooled: false,
    });
    expect(loadEdgeConfig(NEEDED).UPLOAD_URL).toBeUndefined();
  });

  it("reads what means the same as the server does", () => {
    const given = { RATE_LIMIT: "off", CORS_ORIGINS: "https://a.example, https://b.example", LOG_LEVEL: "" };
    expect(loadEdgeConfig({ ...NEEDED, ...given, UPLOAD_URL: "https://up.example/", PORT: "no port" })).toMatchObject({
      RATE_LIMIT: null,
      CORS_ORIGINS: ["https://a.example", "https://b.example"],
      LOG_LEVEL: "info",
      UPLOAD_URL: "https://up.example",
    });
  });

  it("goes by Hyperdrive where it is bound", () => {
    const { DATABASE_URL: _, ...rest } = NEEDED;
    const through = { DATABASE_URL: "mysql://user:pass@binding.local:3306/media", isPooled: true };
    expect(loadEdgeConfig({ ...rest, HYPERDRIVE })).toMatchObject(through);
    expect(loadEdgeConfig({ ...NEEDED, HYPERDRIVE })).toMatchObject(through);
    expect(() => loadEdgeConfig(rest)).toThrow("DATABASE_URL or a HYPERDRIVE binding is required");
  });

  it.each([
    ["BASE_URL", undefined],
    ["BASE_URL", "media.example.org"],
    ["DATABASE_URL", "file:./media.db"],
    ["S3_BUCKET_NAME", ""],
    ["AWS_SECRET_ACCESS_KEY", undefined],
    ["SERVICE_TOKEN", "short-secret"],
    ["SIGNING_SECRET", undefined],
    ["UPLOAD_URL", "ftp://up.example"],
  ])("is refused with %s %j, which it names and does not show", (name, value) => {
    const load = () => loadEdgeConfig({ ...NEEDED, [name]: value });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(name);
    if (value) expect(load).not.toThrow(value);
  });
});
