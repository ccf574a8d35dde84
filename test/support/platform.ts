import type { TestServer } from "./server.js";

/** One of every entity with the people around it, as a platform would keep them. */
export async function makePlatform(server: Pick<TestServer, "user" | "entity" | "service">) {
  const tokens = {
    owner: await server.user("USR-OWNER"),
    communityAdmin: await server.user("USR-COMMUNITY-ADMIN"),
    grantee: await server.user("USR-GRANTEE"),
    expiredGrantee: await server.user("USR-EXPIRED"),
    stranger: await server.user("USR-STRANGER"),
    moderator: await server.user("USR-MODERATOR", { role: "moderator" }),
    admin: await server.user("USR-ADMIN", { role: "admin" }),
  };
  await server.entity("builder", "BLD-PSALMSFINE-0420", { ownerId: "USR-OWNER", name: "Psalms Fine Homes" });
  await server.entity("property", "PROP-1", { parentId: "BLD-PSALMSFINE-0420" });
  await server.entity("community", "CMY-1", { adminIds: ["USR-COMMUNITY-ADMIN"] });
  await server.entity("community", "CMY-2", { adminIds: ["USR-COMMUNITY-ADMIN"] });
  await server.entity("amenity", "AMN-1", { parentId: "CMY-1" });
  await server.entity("sales_rep", "SLS-1", { ownerId: "USR-OWNER" });
  await server.entity("post", "PST-1", { ownerId: "USR-OWNER" });
  const grants = "/v1/entities/property/PROP-1/grants";
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  await server.service("PUT", `${grants}/USR-GRANTEE`, { right: "upload", expiresAt: soon });
  await server.service("PUT", `${grants}/USR-EXPIRED`, { right: "upload", expiresAt: "2020-01-01T00:00:00Z" });
  return tokens;
}
export type PlatformTokens = Awaited<ReturnType<typeof makePlatform>>;

/** The twelve entity routes with someone who may use each. */
export const ENTITY_ROUTES = [
  {
    path: "/users/USR-OWNER/avatar",
    entityType: "user",
    field: "avatar",
    writer: "owner",
    folder: "users/avatars/USR-OWNER",
    prefix: "avatar",
  },
  {
    path: "/users/USR-OWNER/cover",
    entityType: "user",
    field: "cover",
    writer: "owner",
    folder: "users/covers/USR-OWNER",
    prefix: "cover",
  },
  {
    path: "/properties/PROP-1/photos",
    entityType: "property",
    field: "gallery",
    writer: "owner",
    folder: "properties/photos/PROP-1",
    prefix: "photo",
  },
  {
    path: "/builders/BLD-PSALMSFINE-0420/portfolio",
    entityType: "builder",
    field: "gallery",
    writer: "owner",
    folder: "builders/photos/BLD-PSALMSFINE-0420",
    prefix: "gallery",
  },
  {
    path: "/builders/BLD-PSALMSFINE-0420/logo",
    entityType: "builder",
    field: "avatar",
    writer: "owner",
    folder: "builders/avatars/BLD-PSALMSFINE-0420",
    prefix: "avatar",
  },
  {
    path: "/builders/BLD-PSALMSFINE-0420/cover",
    entityType: "builder",
    field: "cover",
    writer: "owner",
    folder: "builders/covers/BLD-PSALMSFINE-0420",
    prefix: "cover",
  },
  {
    path: "/communities/CMY-1/photos",
    entityType: "community",
    field: "gallery",
    writer: "communityAdmin",
    folder: "communities/photos/CMY-1",
    prefix: "photo",
  },
  {
    path: "/communities/CMY-1/logo",
    entityType: "community",
    field: "avatar",
    writer: "communityAdmin",
    folder: "communities/avatars/CMY-1",
    prefix: "avatar",
  },
  {
    path: "/communities/CMY-1/cover",
    entityType: "community",
    field: "cover",
    writer: "communityAdmin",
    folder: "communities/covers/CMY-1",
    prefix: "cover",
  },
  {
    path: "/communities/CMY-1/amenities/AMN-1/photos",
    entityType: "amenity",
    field: "gallery",
    writer: "communityAdmin",
    folder: "amenities/photos/AMN-1",
    prefix: "photo",
  },
  {
    path: "/sales-reps/SLS-1/avatar",
    entityType: "sales_rep",
    field: "avatar",
    writer: "owner",
    folder: "sales-reps/avatars/SLS-1",
    prefix: "avatar",
  },
  {
    path: "/posts/PST-1/media",
    entityType: "post",
    field: "gallery",
    writer: "owner",
    folder: "posts/photos/PST-1",
    prefix: "photo",
  },
] as const satisfies readonly { writer: keyof PlatformTokens; [key: string]: string }[];
