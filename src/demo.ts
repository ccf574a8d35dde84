import { makeDemoPictures } from "./pipeline/demo-pictures.js";

type DemoApi = { baseUrl: string; serviceToken: string };

const JSON_TYPE = { "Content-Type": "application/json" };

/** One call with the service token; throws what the server answers when it refuses. */
async function call(api: DemoApi, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { Authorization: `Bearer ${api.serviceToken}`, ...JSON_TYPE };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  return readAnswer(await fetch(`${api.baseUrl}${path}`, init));
}

async function readAnswer(response: Response): Promise<unknown> {
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`The server answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

const USERS = [
  { publicId: "USR-DEMO-ADA", email: "ada@demo.example", role: "user", verified: true },
  { publicId: "USR-DEMO-BEN", email: "ben@demo.example", role: "user" },
  { publicId: "USR-DEMO-MODERATOR", email: "moderator@demo.example", role: "moderator" },
] as const;

const ENTITIES = [
  { type: "builder", publicId: "BLD-DEMO", name: "Ada's Houses", ownerId: "USR-DEMO-ADA" },
  { type: "property", publicId: "PRP-DEMO", name: "House on the hill", parentId: "BLD-DEMO" },
  { type: "community", publicId: "CMY-DEMO", name: "Hill Side", adminIds: ["USR-DEMO-ADA"] },
  { type: "amenity", publicId: "AMN-DEMO", name: "Pool", parentId: "CMY-DEMO" },
  { type: "sales_rep", publicId: "SLS-DEMO", name: "Ben", ownerId: "USR-DEMO-BEN" },
  { type: "post", publicId: "PST-DEMO", name: "We moved in", ownerId: "USR-DEMO-BEN" },
] as const;

/** The password of every demo user, told by `npm run demo`. */
export const DEMO_PASSWORD = "demo-password";

/**
 * Users, entities and a gallery, made the way any client would: over HTTP and through the upload path. Does nothing
 * where the gallery has pictures already. Answers the address of the gallery page.
 */
export async function loadDemo(api: DemoApi): Promise<string> {
  for (const { publicId, ...user } of USERS)
    await call(api, "PUT", `/v1/users/${publicId}`, { ...user, password: DEMO_PASSWORD });
  for (const { type, publicId, ...entity } of ENTITIES)
    await call(api, "PUT", `/v1/entities/${type}/${publicId}`, entity);
  const gallery = (await call(api, "GET", "/v1/media/entity/property/PRP-DEMO")) as { total: number };
  if (gallery.total === 0) await uploadGallery(api);
  return `${api.baseUrl}/console/?type=property&id=PRP-DEMO&field=gallery`;
}

async function uploadGallery(api: DemoApi): Promise<void> {
  const session = (await call(api, "POST", "/v1/auth/sessions", { userId: "USR-DEMO-ADA" })) as { token: string };
  for (const { filename, body, altText } of await makeDemoPictures()) {
    const form = new FormData();
    form.set("alt_text", altText);
    form.set("tags", "demo");
    form.set("file", new Blob([new Uint8Array(body)]), filename);
    const headers = { Authorization: `Bearer ${session.token}` };
    await readAnswer(
      await fetch(`${api.baseUrl}/v1/media/properties/PRP-DEMO/photos`, { method: "POST", headers, body: form }),
    );
  }
}
